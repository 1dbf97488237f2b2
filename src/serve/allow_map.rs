//! Maps of `/v1/allow`: where the parts of a question stand in the request that a proxy asks about.
//!
//! A map is a list of parts, separated by blanks: `uri=/rooms/{resource}/send subject=header:X-User
//! action=const:send_message`. What is missing, given twice or read differently by others denies.

use std::{borrow::Cow, str::FromStr};

use hyper::{HeaderMap, header::HeaderName, http::request::Parts};
use thiserror::Error;

use super::{
    original_uri::{OriginalUri, only_header},
    query::DECIDE_PARAMETERS,
};
use crate::{request::suggest, wire::excerpt};

/// Where the parts of a question stand in a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AllowMap {
    /// The paths that the map is for; all of them without one.
    template: Option<Vec<TemplateSegment>>,
    parts: Vec<(&'static str, PartSource)>,
}

/// Where a part of a question comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
enum PartSource {
    Constant(String),
    Header(HeaderName),
    /// A parameter of the original request's query.
    Query(String),
}

/// A segment of a path's template.
#[derive(Clone, PartialEq, Eq, Debug)]
enum TemplateSegment {
    Literal(String),
    /// A segment that is a part of the question.
    Part(&'static str),
    /// Any one segment.
    Any,
    /// All further segments, none included.
    Rest,
}

/// The error of a text that is no map.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum AllowMapError {
    #[error("`{0}` is not a part: expected NAME=SOURCE, separated by blanks")]
    NoPart(String),
    #[error("unknown part `{0}`; {1}")]
    UnknownPart(String, String),
    #[error("`{0}` is given twice")]
    Twice(String),
    #[error("`{0}` is not a source; expected header:NAME, query:NAME or const:VALUE")]
    UnknownSource(String),
    #[error("`{0}` is not the name of a header")]
    NoHeader(String),
    #[error("`{0}` has no value")]
    Empty(String),
    #[error(
        "`{0}` is not a template; expected a path as /rooms/{{resource}}, with * for a segment and ** at the end for the rest"
    )]
    NoTemplate(String),
    #[error("the map gives no `{0}`")]
    Missing(&'static str),
}

/// A request from which no question can be read; `at` is the part.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct UnmappedRequest {
    pub(super) at: &'static str,
    pub(super) message: String,
}

/// The values of the parts of a question.
pub(super) type MappedParts<'r> = Vec<(&'static str, Cow<'r, str>)>;

/// The name of the template among the parts.
const URI: &str = "uri";

impl AllowMap {
    /// The parts of the question of a request, by the first of the maps that is for its path.
    pub(super) fn read<'r>(
        maps: &'r [Self],
        head: &'r Parts,
        base: &str,
    ) -> Result<MappedParts<'r>, UnmappedRequest> {
        let uri = OriginalUri::find(head, base).map_err(|message| unmapped(URI, message))?;
        for map in maps {
            if let Some(mut parts) = map.captured(&uri) {
                for (name, source) in &map.parts {
                    parts.push((*name, source.value(name, &uri, &head.headers)?));
                }
                return Ok(parts);
            }
        }
        Err(unmapped(URI, "no --allow-map is for this path"))
    }

    /// The parts in the path; `None` if the map is not for it.
    fn captured<'r>(&self, uri: &OriginalUri<'_>) -> Option<MappedParts<'r>> {
        let Some(template) = &self.template else { return Some(Vec::new()) };
        let mut parts = Vec::new();
        let mut segments = uri.segments.iter();
        for expected in template {
            if *expected == TemplateSegment::Rest {
                return Some(parts);
            }
            let segment = segments.next()?;
            match expected {
                TemplateSegment::Literal(text) if text == segment => {}
                TemplateSegment::Literal(_) => return None,
                TemplateSegment::Part(name) => {
                    parts.push((*name, Cow::Owned(segment.clone().into_owned())));
                }
                TemplateSegment::Any | TemplateSegment::Rest => {}
            }
        }
        segments.next().is_none().then_some(parts)
    }
}

impl PartSource {
    fn value<'r>(
        &'r self,
        name: &'static str,
        uri: &OriginalUri<'r>,
        headers: &'r HeaderMap,
    ) -> Result<Cow<'r, str>, UnmappedRequest> {
        match self {
            Self::Constant(value) => Ok(Cow::Borrowed(value)),
            Self::Header(header) => {
                let value = only_header(headers, header).map_err(|it| unmapped(name, it))?;
                value
                    .filter(|value| !value.is_empty())
                    .map(Cow::Borrowed)
                    .ok_or_else(|| unmapped(name, format!("the header {header} is missing")))
            }
            Self::Query(parameter) => {
                let value = uri.parameter(parameter).map_err(|it| unmapped(name, it))?;
                value.ok_or_else(|| {
                    unmapped(name, format!("the parameter `{parameter}` is missing"))
                })
            }
        }
    }

    fn parse(text: &str) -> Result<Self, AllowMapError> {
        let unknown = || AllowMapError::UnknownSource(excerpt(text));
        let (kind, value) = text.split_once(':').ok_or_else(unknown)?;
        if value.is_empty() {
            return Err(AllowMapError::Empty(excerpt(text)));
        }
        match kind {
            "const" => Ok(Self::Constant(value.to_owned())),
            "query" => Ok(Self::Query(value.to_owned())),
            "header" => HeaderName::from_str(value)
                .map(Self::Header)
                .map_err(|_| AllowMapError::NoHeader(excerpt(value))),
            _ => Err(unknown()),
        }
    }
}

impl FromStr for AllowMap {
    type Err = AllowMapError;

    fn from_str(text: &str) -> Result<Self, AllowMapError> {
        let mut map = Self { template: None, parts: Vec::new() };
        for part in text.split_ascii_whitespace() {
            let Some((name, source)) = part.split_once('=') else {
                return Err(AllowMapError::NoPart(excerpt(part)));
            };
            if name == URI {
                if map.template.is_some() {
                    return Err(AllowMapError::Twice(URI.to_owned()));
                }
                map.template = Some(parse_template(source)?);
            } else {
                map.parts.push((part_name(name)?, PartSource::parse(source)?));
            }
        }
        let names = map.part_names();
        if let Some(twice) = names
            .iter()
            .enumerate()
            .find(|(at, name)| names.iter().take(*at).any(|earlier| earlier == *name))
        {
            return Err(AllowMapError::Twice((*twice.1).to_owned()));
        }
        match ["subject", "action"].into_iter().find(|name| !names.contains(name)) {
            Some(missing) => Err(AllowMapError::Missing(missing)),
            None => Ok(map),
        }
    }
}

impl AllowMap {
    /// The names of all parts that the map gives.
    fn part_names(&self) -> Vec<&'static str> {
        let captured = self.template.iter().flatten().filter_map(|segment| match segment {
            TemplateSegment::Part(name) => Some(*name),
            TemplateSegment::Literal(_) | TemplateSegment::Any | TemplateSegment::Rest => None,
        });
        captured.chain(self.parts.iter().map(|(name, _)| *name)).collect()
    }
}

fn unmapped(at: &'static str, message: impl Into<String>) -> UnmappedRequest {
    UnmappedRequest { at, message: message.into() }
}

fn part_name(name: &str) -> Result<&'static str, AllowMapError> {
    // An explanation has no place in a status.
    let known = || DECIDE_PARAMETERS.iter().copied().filter(|known| *known != "explain");
    known().find(|known| *known == name).ok_or_else(|| {
        let name = excerpt(name);
        let known = suggest(&name, known().chain([URI]));
        AllowMapError::UnknownPart(name, known)
    })
}

fn parse_template(text: &str) -> Result<Vec<TemplateSegment>, AllowMapError> {
    let wrong = || AllowMapError::NoTemplate(excerpt(text));
    let segments: Vec<&str> = text.strip_prefix('/').ok_or_else(wrong)?.split('/').collect();
    let last = segments.len() - 1;
    let read = |(at, segment): (usize, &&str)| match *segment {
        "**" if at == last => Ok(TemplateSegment::Rest),
        "*" => Ok(TemplateSegment::Any),
        "" | "." | ".." => Err(wrong()),
        segment => match segment.strip_prefix('{').and_then(|it| it.strip_suffix('}')) {
            Some(name) => part_name(name).map(TemplateSegment::Part),
            None if segment.contains(['{', '}', '*', '?', '%']) => Err(wrong()),
            None => Ok(TemplateSegment::Literal(segment.to_owned())),
        },
    };
    segments.iter().enumerate().map(read).collect()
}
