//! The JSON form of a page of users or groups.

use serde::{Serialize, Serializer, ser::SerializeMap};

use crate::{decide::ListPage, request::Wildcard};

/// A page of a list as the native API and the command line write it.
#[derive(Debug)]
pub struct ListBody<'v> {
    /// The part of the request that is listed.
    pub open: Wildcard,
    /// The ids, and where the next page begins.
    pub page: ListPage<'v>,
}

impl Serialize for ListBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { open, page } = self;
        let mut fields = serializer.serialize_map(Some(3))?;
        fields.serialize_entry(list_field(*open), &page.ids)?;
        fields.serialize_entry("total", &page.total)?;
        fields.serialize_entry("next", page.next.unwrap_or_default())?;
        fields.end()
    }
}

/// The field that holds the ids of a list.
pub fn list_field(open: Wildcard) -> &'static str {
    match open {
        Wildcard::Group => "groups",
        Wildcard::Subject | Wildcard::Resource | Wildcard::Member => "users",
    }
}
