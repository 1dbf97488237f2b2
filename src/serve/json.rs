//! JSON bodies as they are refused here.

use std::{borrow::Cow, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor, value::MapAccessDeserializer},
};

use super::response::HttpError;
use crate::dialects::json;
pub(super) use crate::dialects::json::{StrictValue, describe_error};

/// Reads a body: UTF-8, one value of the kind that is asked for, no lone surrogates, not too deep.
pub(super) fn read<'b, T: Deserialize<'b>>(body: &'b [u8], what: &str) -> Result<T, HttpError> {
    json::parse(body, what).map_err(|misread| HttpError::bad_request(misread.at, misread.message))
}

/// A JSON object and nothing else: left alone, serde would take an array in its place.
#[derive(Debug)]
pub(super) struct JsonObject<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for JsonObject<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
            type Value = T;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(members))
            }
        }

        deserializer.deserialize_map(Members(PhantomData)).map(Self)
    }
}

/// A text, borrowed from the body unless it holds escapes; serde alone would copy one that may be
/// missing.
#[derive(Debug)]
pub(super) struct JsonText<'b>(Cow<'b, str>);

impl JsonText<'_> {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'b> From<JsonText<'b>> for Cow<'b, str> {
    fn from(text: JsonText<'b>) -> Self {
        text.0
    }
}

impl<'de: 'b, 'b> Deserialize<'de> for JsonText<'b> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Characters;

        impl<'de> Visitor<'de> for Characters {
            type Value = JsonText<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<JsonText<'de>, E> {
                Ok(JsonText(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<JsonText<'de>, E> {
                Ok(JsonText(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_str(Characters)
    }
}
