//! JSON as it comes over the wire, held to I-JSON (RFC 7493) where that decides what is meant.

use std::{borrow::Cow, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};
use serde_json::{Map, Value};

use super::answer::Refusal;

/// How deep arrays and objects may be nested, in what is passed over too.
const DEPTH: usize = 128;

/// Reads a body: UTF-8, one value of the kind that is asked for, no lone surrogates, not too deep.
pub(super) fn read<'b, T: Deserialize<'b>>(body: &'b [u8], what: &str) -> Result<T, Refusal> {
    let text = str::from_utf8(body).map_err(|error| {
        Refusal::bad(format!("byte {}", error.valid_up_to() + 1), "the body is not UTF-8")
    })?;
    // The parser does not look into what it passes over.
    if let Some(at) = lone_surrogate(body) {
        return Err(Refusal::bad(format!("byte {}", at + 1), "this is half of a surrogate pair"));
    }
    if let Some(at) = too_deep(body) {
        let message = format!("arrays and objects may be nested {DEPTH} deep");
        return Err(Refusal::bad(format!("byte {}", at + 1), message));
    }
    serde_json::from_str(text).map_err(|error| {
        let at = format!("line {}, column {}", error.line(), error.column());
        Refusal::bad(at, format!("the body does not hold {what}: {}", message(&error)))
    })
}

/// What an error of the parser says, without where.
pub(super) fn message(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or(&text).to_owned()
}

/// Where a text holds an escape of half a character. What is no escape at all is left to the parser.
fn lone_surrogate(body: &[u8]) -> Option<usize> {
    let mut at = body.iter().position(|&byte| byte == b'\\')?;
    while let Some(rest) = body.get(at..) {
        let (length, unit) = match rest {
            [b'\\', b'u', ..] => (6, unit(rest)),
            [b'\\', ..] => (2, None),
            [_, ..] => (1, None),
            [] => return None,
        };
        at += match unit {
            Some(0xd800..0xdc00) => match body.get(at + 6..).and_then(unit_of_escape) {
                Some(0xdc00..0xe000) => 12,
                _ => return Some(at),
            },
            Some(0xdc00..0xe000) => return Some(at),
            _ => length,
        };
    }
    None
}

fn unit_of_escape(text: &[u8]) -> Option<u16> {
    if text.starts_with(b"\\u") { unit(text) } else { None }
}

/// The number that the four digits of an escape write.
fn unit(escape: &[u8]) -> Option<u16> {
    let digits = str::from_utf8(escape.get(2..6)?).ok()?;
    u16::from_str_radix(digits, 16).ok()
}

/// Where a bracket opens that is too deep.
fn too_deep(body: &[u8]) -> Option<usize> {
    // Each of them is closed again, or else it is no JSON: so small bodies need no look.
    if body.len() < 2 * DEPTH {
        return None;
    }
    let is_opening = |byte: &u8| matches!(byte, b'[' | b'{');
    if body.iter().filter(|byte| is_opening(byte)).count() <= DEPTH {
        return None;
    }
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    for (at, byte) in body.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_text,
            b'"' => in_text = !in_text,
            _ if in_text => {}
            b'[' | b'{' => {
                depth += 1;
                if depth > DEPTH {
                    return Some(at);
                }
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

/// A JSON object and nothing else: left alone, serde would take an array in its place.
#[derive(Debug)]
pub(super) struct Object<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
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

/// Any value in which no object has two members of one name: nobody could tell which was meant.
#[derive(Debug)]
pub(super) struct Any(pub Value);

impl<'de> Deserialize<'de> for Any {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Anything;

        impl<'de> Visitor<'de> for Anything {
            type Value = Value;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_unit<E>(self) -> Result<Value, E> {
                Ok(Value::Null)
            }

            fn visit_bool<E>(self, is: bool) -> Result<Value, E> {
                Ok(is.into())
            }

            fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
                Ok(number.into())
            }

            fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
                Ok(number.into())
            }

            fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
                Ok(number.into())
            }

            fn visit_str<E>(self, text: &str) -> Result<Value, E> {
                Ok(text.into())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
                let mut all = Vec::new();
                while let Some(Any(item)) = items.next_element()? {
                    all.push(item);
                }
                Ok(Value::Array(all))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
                let mut all = Map::new();
                while let Some((name, Any(value))) = members.next_entry::<String, _>()? {
                    if all.contains_key(&name) {
                        let name = name.escape_debug();
                        return Err(A::Error::custom(format!("duplicate field `{name}`")));
                    }
                    all.insert(name, value);
                }
                Ok(Value::Object(all))
            }
        }

        deserializer.deserialize_any(Anything).map(Self)
    }
}

/// A text, borrowed from the body unless it holds escapes; serde alone would copy one that may be
/// missing.
#[derive(Debug)]
pub(super) struct Text<'b>(Cow<'b, str>);

impl Text<'_> {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de: 'b, 'b> Deserialize<'de> for Text<'b> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Characters;

        impl<'de> Visitor<'de> for Characters {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_str(Characters)
    }
}
