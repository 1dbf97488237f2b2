//! Forms of the type `multipart/form-data` (RFC 7578), whose parts are texts.

use super::{
    error::{MesiboError, MesiboErrorCode},
    form,
};
use crate::wire::excerpt;

/// The maximum length of a part's headers in bytes.
const MAX_HEADER_BYTES: usize = 4096;

/// The parameters of a form, in order.
///
/// # Errors
/// If the form is malformed, or a part is a file.
pub(super) fn parse_parameters(
    content_type: &str,
    body: &[u8],
) -> Result<Vec<(String, String)>, MesiboError> {
    let boundary = boundary(content_type)
        .ok_or_else(|| form_error("the content type names no `boundary` of 1 to 70 characters"))?;
    let opening = format!("--{boundary}");
    let delimiter = format!("\r\n--{boundary}");
    // A preamble before the first delimiter is not supported; no client sends one.
    let mut rest = body
        .strip_prefix(b"\r\n")
        .unwrap_or(body)
        .strip_prefix(opening.as_bytes())
        .ok_or_else(|| form_error("the body does not begin with the boundary"))?;
    let mut all: Vec<(String, String)> = Vec::new();
    loop {
        if rest.starts_with(b"--") {
            return Ok(all);
        }
        rest = rest
            .strip_prefix(b"\r\n")
            .ok_or_else(|| form_error("a boundary is not followed by a line break"))?;
        let end = find_bytes(rest, delimiter.as_bytes())
            .ok_or_else(|| form_error("the closing boundary is missing"))?;
        let (part, after) = rest.split_at_checked(end).unwrap_or((rest, b""));
        if all.len() == form::MAX_PARAMETERS {
            return Err(form_error(&format!("more than {} parameters", form::MAX_PARAMETERS)));
        }
        let (name, value) = parse_part(part)?;
        if all.iter().any(|(known, _)| *known == name) {
            return Err(MesiboError::parameter(
                MesiboErrorCode::BadForm,
                &name,
                "is given twice; give it once",
            ));
        }
        all.push((name, value));
        rest = after.get(delimiter.len()..).unwrap_or_default();
    }
}

fn form_error(what: &str) -> MesiboError {
    MesiboError::new(
        MesiboErrorCode::BadForm,
        format!("malformed multipart form: {what}; send JSON"),
    )
}

/// The parameter `boundary` of a content type.
fn boundary(content_type: &str) -> Option<&str> {
    let boundary = header_parameter(content_type.split_once(';')?.1, "boundary")?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&byte);
    let is_boundary = (1..=70).contains(&boundary.len()) && boundary.bytes().all(is_plain);
    (is_boundary && !boundary.ends_with(' ')).then_some(boundary)
}

/// The value of a header's parameter, without its quotes.
fn header_parameter<'t>(mut text: &'t str, wanted: &str) -> Option<&'t str> {
    loop {
        let (name, rest) = text.trim_start_matches([';', ' ', '\t']).split_once('=')?;
        let rest = rest.trim_start();
        let (value, after) = match rest.strip_prefix('"') {
            Some(quoted) => {
                let mut escaped = false;
                let end = quoted.find(|c| {
                    let ends = c == '"' && !escaped;
                    escaped = c == '\\' && !escaped;
                    ends
                })?;
                (quoted.get(..end)?, quoted.get(end + 1..)?)
            }
            None => rest.split_once(';').unwrap_or((rest, "")),
        };
        if name.trim().eq_ignore_ascii_case(wanted) {
            return Some(value.trim_end());
        }
        text = after;
    }
}

/// The name and the value of a part.
fn parse_part(part: &[u8]) -> Result<(String, String), MesiboError> {
    let ends = find_bytes(part, b"\r\n\r\n").filter(|&end| end <= MAX_HEADER_BYTES);
    let (headers, value) = ends.and_then(|end| part.split_at_checked(end)).ok_or_else(|| {
        let problem =
            format!("the headers of a part have no end, or exceed {MAX_HEADER_BYTES} bytes");
        form_error(&problem)
    })?;
    let headers =
        str::from_utf8(headers).map_err(|_| form_error("a part's headers are not UTF-8"))?;
    let mut name = None;
    for line in headers.split("\r\n") {
        let (header, text) =
            line.split_once(':').ok_or_else(|| form_error("a part has a header without `:`"))?;
        let text = text.trim();
        match &*header.to_ascii_lowercase() {
            "content-disposition" if name.is_none() => name = Some(part_name(text)?),
            "content-disposition" => return Err(form_error("a part has two names")),
            "content-type" => {
                let kind = text.split(';').next().unwrap_or_default().trim();
                if !kind.eq_ignore_ascii_case("text/plain") {
                    let kind = excerpt(kind);
                    return Err(form_error(&format!(
                        "a part has the type `{kind}`, not text/plain"
                    )));
                }
            }
            "content-transfer-encoding" => {
                let is_plain = |plain: &&str| text.eq_ignore_ascii_case(plain);
                if !["7bit", "8bit", "binary"].iter().any(is_plain) {
                    let text = excerpt(text);
                    return Err(form_error(&format!("a part has the transfer encoding `{text}`")));
                }
            }
            _ => {}
        }
    }
    let name = name.ok_or_else(|| form_error("a part has no name"))?;
    let value = value.strip_prefix(b"\r\n\r\n").unwrap_or(value);
    let value = str::from_utf8(value)
        .map_err(|_| MesiboError::parameter(MesiboErrorCode::BadForm, &name, "is not UTF-8"))?;
    Ok((name, value.to_owned()))
}

/// The name that a `Content-Disposition` gives.
fn part_name(text: &str) -> Result<String, MesiboError> {
    let (kind, parameters) = text.split_once(';').unwrap_or((text, ""));
    if !kind.trim().eq_ignore_ascii_case("form-data") {
        return Err(form_error("a part is not `form-data`"));
    }
    let name = header_parameter(parameters, "name").filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| form_error("a part has no name"))?;
    if header_parameter(parameters, "filename").is_some() {
        return Err(MesiboError::parameter(
            MesiboErrorCode::BadForm,
            name,
            "is a file; give its value as a string",
        ));
    }
    Ok(name.to_owned())
}

/// The position of the first occurrence of `wanted`.
fn find_bytes(text: &[u8], wanted: &[u8]) -> Option<usize> {
    let mut from = 0;
    loop {
        let rest = text.get(from..)?;
        let at = from + rest.iter().position(|byte| Some(byte) == wanted.first())?;
        if text.get(at..)?.starts_with(wanted) {
            return Some(at);
        }
        from = at + 1;
    }
}
