//! Enumerations with a stable text for each variant, and the error of unknown texts.

use std::fmt;

use thiserror::Error;

use super::suggest::suggest;

/// The error of a text that is not one of the known words in its place.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub struct UnknownWordError {
    /// The noun of what was expected.
    pub what: &'static str,
    /// The text, truncated if it is long.
    pub found: String,
    /// The known words, separated by commas.
    pub known: String,
}

impl fmt::Display for UnknownWordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, found, known } = self;
        write!(
            f,
            "unknown {what} `{}`; {}",
            found.escape_debug(),
            suggest(found, known.split(", "))
        )
    }
}

/// Defines an enumeration whose variants have stable texts in policies and on the wire: the list of
/// all variants in the order of the reference, the text of each, and the parser.
macro_rules! text_enum {
    (
        $(#[$meta:meta])*
        $name:ident: $what:literal {
            $($(#[$variant_meta:meta])* $variant:ident = $word:literal,)+
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum $name {
            $($(#[$variant_meta])* $variant,)+
        }

        impl $name {
            /// All variants, in the order of the reference.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The number of variants.
            pub const COUNT: usize = Self::ALL.len();

            /// The index of the variant in [`ALL`](Self::ALL).
            pub const fn index(self) -> usize {
                self as usize
            }

            /// The variant with this index; `None` if there are not so many.
            #[inline]
            pub const fn from_index(index: usize) -> Option<Self> {
                match index {
                    $(variant if variant == Self::$variant as usize => Some(Self::$variant),)+
                    _ => None,
                }
            }

            /// The stable text, as it stands in policies and on the wire.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl $crate::request::Enumeration for $name {
            const VARIANTS: &'static [Self] = Self::ALL;

            #[inline]
            fn index(self) -> usize {
                self.index()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(from)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::request::UnknownWordError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    other => Err($crate::request::UnknownWordError {
                        what: $what,
                        found: other.chars().take(64).collect(),
                        known: [$($word),+].join(", "),
                    }),
                }
            }
        }
    };
}

pub(crate) use text_enum;
