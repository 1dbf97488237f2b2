//! Moments as texts: RFC 3339 in any zone, and why other texts are none.

use peerage::request::Moment;

/// Each text, and the moment that it means in canonical form or the error.
const TEXTS: &[(&str, &str)] = &[
    ("2026-12-31T23:59:59Z", "2026-12-31T23:59:59Z"),
    ("2026-12-31t23:59:59z", "2026-12-31T23:59:59Z"),
    ("2026-12-31 23:59:59Z", "2026-12-31T23:59:59Z"),
    ("2026-11-30T09:00:00+01:00", "2026-11-30T08:00:00Z"),
    ("2026-11-30T09:00:00-09:30", "2026-11-30T18:30:00Z"),
    ("2026-11-30T09:00:00.25Z", "2026-11-30T09:00:00.250Z"),
    ("2026-11-30T09:00:00.2509999Z", "2026-11-30T09:00:00.250Z"),
    ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"),
    ("9999-12-30T22:00:00.999Z", "9999-12-30T22:00:00.999Z"),
    ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z"),
    ("2026-12-31T23:59:59", "the time says no zone: end it with `Z` or an offset like `+01:00`"),
    ("2026-12-31T23:59:59.5", "the time says no zone: end it with `Z` or an offset like `+01:00`"),
    ("2026-02-29T00:00:00Z", "there is no such time"),
    ("2026-12-31T24:00:00Z", "there is no such time"),
    ("2026-12-31T23:59:59+99:00", "there is no such time"),
    ("1969-12-31T23:59:59Z", "the time is before 1970"),
    ("1970-01-01T00:00:00+01:00", "the time is before 1970"),
    ("", FORM),
    ("tomorrow", FORM),
    ("2026-12-31", FORM),
    ("2026-12-31T23:59Z", FORM),
    ("20261231T235959Z", FORM),
    ("2026-12-31T23:59:59+0100", FORM),
    ("2026-12-31T23:59:59+01", FORM),
    ("2026-12-31T23:59:59.Z", FORM),
    ("2026-12-31T23:59:59Z[Europe/Berlin]", FORM),
    ("2026-12-31T23:59:59Zebra", FORM),
    ("+002026-12-31T23:59:59Z", FORM),
];

const FORM: &str = "expected a time as RFC 3339 writes it, like 2026-12-31T23:59:59Z";

#[test]
fn a_moment_is_read_as_rfc_3339_writes_it() {
    for &(text, expected) in TEXTS {
        let read = text.parse::<Moment>();
        let shown = read.map_or_else(|error| error.to_string(), |moment| moment.to_string());
        assert_eq!(shown, expected, "{text}");
    }
}
