//! What bodies hold.

use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use super::{
    codes::{Code, Family},
    envelope::Fault,
};
use crate::{
    dialects::{
        House, json,
        text::{kind, shown},
    },
    facts::Id,
};

/// How many accounts or items one call names at most, as documented.
pub(super) const MOST_ITEMS: usize = 1000;

/// An object of a body, and what is wrong with it if a member is not as it must be. Fields that
/// nobody asks for are passed over.
#[derive(Clone, Debug)]
pub(super) struct Fields {
    map: Map<String, Value>,
    /// What stands before a member's name in errors: `AddFriendItem[0].`
    place: String,
    family: Family,
}

/// Reads the body as one object.
pub(super) fn read(body: &[u8], family: Family) -> Result<Fields, Fault> {
    match json::read::<json::Any>(body, "an object") {
        Ok(json::Any(Value::Object(map))) => Ok(Fields { map, place: String::new(), family }),
        Ok(json::Any(other)) => Err(not(family, "the body", "an object", &other)),
        Err(misread) => Err(unreadable(body, family, &misread)),
    }
}

/// What can't be read is no JSON, or else it says something wrong.
pub(super) fn unreadable(body: &[u8], family: Family, misread: &json::Misread) -> Fault {
    let is_json = json::read::<IgnoredAny>(body, "a value").is_ok();
    let code = if is_json { family.parameter() } else { Code::Json };
    Fault::new(code, misread.to_string())
}

impl Fields {
    /// An element of a list, which must be an object.
    pub(super) fn of(value: &Value, place: &str, family: Family) -> Result<Self, Fault> {
        match value {
            Value::Object(map) => Ok(Self { map: map.clone(), place: format!("{place}."), family }),
            other => Err(not(family, place, "an object", other)),
        }
    }

    /// The same place without members.
    pub(super) fn none(&self) -> Self {
        Self { map: Map::new(), place: self.place.clone(), family: self.family }
    }

    fn get(&self, name: &str) -> Option<&Value> {
        self.map.get(name).filter(|value| !value.is_null())
    }

    fn wrong<T>(&self, name: &str, what: &str, found: &Value) -> Result<T, Fault> {
        Err(not(self.family, &format!("`{}{name}`", self.place), what, found))
    }

    pub(super) fn bad(&self, name: &str, message: &str) -> Fault {
        Fault::new(self.family.parameter(), format!("`{}{name}`: {message}", self.place))
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// A value of whatever type.
    pub(super) fn value(&self, name: &str) -> Result<&Value, Fault> {
        self.get(name).ok_or_else(|| self.bad(name, "it is missing"))
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<&str>, Fault> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => self.wrong(name, "a text", other),
        }
    }

    pub(super) fn needed(&self, name: &str) -> Result<&str, Fault> {
        self.text(name)?.ok_or_else(|| self.bad(name, "it is missing"))
    }

    /// What one of these words stands for.
    pub(super) fn word<T: Copy>(
        &self,
        name: &str,
        words: &[(&str, T)],
    ) -> Result<Option<T>, Fault> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        if let Some((_, meaning)) = words.iter().find(|(word, _)| *word == text) {
            return Ok(Some(*meaning));
        }
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let message = format!("it is one of {}, not `{}`", known.join(", "), shown(text));
        Err(self.bad(name, &message))
    }

    /// A number that is not negative, which some write as a text; 0 if it is missing.
    pub(super) fn number(&self, name: &str) -> Result<u64, Fault> {
        match self.get(name) {
            None => Ok(0),
            Some(value) => match number(value) {
                Some(number) => Ok(number),
                None => self.wrong(name, "a whole number, 0 or more", value),
            },
        }
    }

    pub(super) fn list(&self, name: &str) -> Result<Option<&Vec<Value>>, Fault> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Array(list)) => Ok(Some(list)),
            Some(other) => self.wrong(name, "a list", other),
        }
    }

    /// A list of things that are to be done, none of which is one too many.
    pub(super) fn items(&self, name: &str) -> Result<&Vec<Value>, Fault> {
        let list = self.list(name)?.ok_or_else(|| self.bad(name, "it is missing"))?;
        if list.is_empty() {
            return Err(self.bad(name, "it is empty"));
        }
        if list.len() > MOST_ITEMS {
            let message = format!("it has at most {MOST_ITEMS} elements, not {}", list.len());
            return Err(self.bad(name, &message));
        }
        Ok(list)
    }

    /// A list of texts.
    pub(super) fn texts(&self, name: &str) -> Result<Option<Vec<String>>, Fault> {
        let Some(list) = self.list(name)? else { return Ok(None) };
        let text = |(at, value): (usize, &Value)| match value {
            Value::String(text) => Ok(text.clone()),
            other => self.wrong(&format!("{name}[{at}]"), "a text", other),
        };
        list.iter().enumerate().map(text).collect::<Result<_, _>>().map(Some)
    }

    /// A list of accounts, of which some may not exist.
    pub(super) fn accounts(&self, name: &str) -> Result<Vec<String>, Fault> {
        self.items(name)?;
        Ok(self.texts(name)?.unwrap_or_default())
    }

    /// The account that a call is about; it must exist.
    pub(super) fn known(&self, name: &str, house: &dyn House) -> Result<Id, Fault> {
        let id = Id::new(self.needed(name)?).map_err(|why| self.bad(name, &why.to_string()))?;
        if house.knows_user(&id) {
            return Ok(id);
        }
        Err(unknown(self.family, name, &id))
    }

    pub(super) fn place(&self) -> &str {
        &self.place
    }
}

/// A number that is not negative, or a text of its digits.
pub(super) fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| digits(value.as_str()?))
}

/// The number that digits write; no sign stands before them.
pub(super) fn digits(text: &str) -> Option<u64> {
    text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Of an account that a call is about and that does not exist.
pub(super) fn unknown(family: Family, name: &str, id: &str) -> Fault {
    let message = format!(
        "`{name}`: no account `{}` exists; import it with im_open_login_svc/account_import",
        id.chars().take(300).collect::<String>().escape_debug()
    );
    Fault::new(family.account(), message)
}

fn not(family: Family, place: &str, what: &str, found: &Value) -> Fault {
    let message = format!("{place}: expected {what}, found {}", kind(found));
    Fault::new(family.parameter(), message)
}
