//! Suggestions of the known name that an unknown one most likely means.

/// The candidate that the author most likely meant by `name`, if one is near enough.
///
/// Costs a comparison with each candidate of about the same length.
pub fn did_you_mean<'c>(
    name: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<&'c str> {
    let length = name.chars().count();
    // Any two short numbers are near each other, which is no evidence of a typing error.
    let is_number = name.bytes().all(|byte| byte.is_ascii_digit());
    let most = if is_number { 0 } else { (length / 3).max(1).min(length.saturating_sub(1)) };
    let distance = |candidate: &str| {
        let longer = candidate.chars().count().abs_diff(length);
        // `pair` for `paired`, `block` for `blocked`.
        let is_stem = longer <= 2 && length >= 4 && !is_number && candidate.starts_with(name);
        if candidate.eq_ignore_ascii_case(name) {
            Some(0)
        } else if is_stem {
            Some(1)
        } else if longer <= most {
            Some(strsim::osa_distance(name, candidate)).filter(|&distance| distance <= most)
        } else {
            None
        }
    };
    let near = candidates.into_iter().filter_map(|name| Some((distance(name)?, name)));
    near.min().map(|(_, candidate)| candidate)
}

/// The number of names up to which [`suggest`] lists all of them.
const LISTED_WHOLE: usize = 8;

/// The number of names that [`suggest`] lists of more.
const LISTED_NEAREST: usize = 5;

/// Advice in place of an unknown name: `did you mean `a`?`, or else the known names, as
/// `expected one of `a`, `b`, `c``. Of a long list, only the nearest names are given, and how many
/// there are besides.
///
/// Costs a comparison with each candidate.
pub fn suggest<'c>(name: &str, candidates: impl IntoIterator<Item = &'c str>) -> String {
    let mut names: Vec<&str> = candidates.into_iter().collect();
    if let Some(near) = did_you_mean(name, names.iter().copied()) {
        return format!("did you mean `{near}`?");
    }
    let count = names.len();
    if count > LISTED_WHOLE {
        // Stable, so that names of one distance stay in the order of the reference.
        names.sort_by_cached_key(|candidate| strsim::osa_distance(name, candidate));
        names.truncate(LISTED_NEAREST);
    }
    let list: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match list.as_slice() {
        [] => "none is declared".to_owned(),
        [only] => format!("expected {only}"),
        list if count > list.len() => {
            format!("expected one of {} and {} more", list.join(", "), count - list.len())
        }
        list => format!("expected one of {}", list.join(", ")),
    }
}
