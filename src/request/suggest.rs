//! Suggestions of the known name that an unknown one most likely stands for.

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
