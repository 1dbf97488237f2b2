//! The end of a certificate's validity, read from its DER.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

const SEQUENCE: u8 = 0x30;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// The tag of the version, which certificates of the first version don't have.
const VERSION: u8 = 0xa0;

/// The end of a certificate's validity; `None` if the bytes are not a certificate.
pub(super) fn not_after(certificate: &[u8]) -> Option<SystemTime> {
    let (certificate, _) = Element::read_as(SEQUENCE, certificate)?;
    let (mut fields, _) = Element::read_as(SEQUENCE, certificate)?;
    let (first, rest) = Element::read(fields)?;
    if first.tag == VERSION {
        fields = rest;
    }
    // The serial number, the algorithm and the issuer come before the validity.
    for _ in 0..3 {
        (_, fields) = Element::read(fields)?;
    }
    let (validity, _) = Element::read_as(SEQUENCE, fields)?;
    let (_not_before, rest) = Element::read(validity)?;
    Element::read(rest)?.0.time()
}

/// A value in DER.
struct Element<'b> {
    tag: u8,
    contents: &'b [u8],
}

impl<'b> Element<'b> {
    /// The first value of some bytes, and the bytes behind it.
    fn read(bytes: &'b [u8]) -> Option<(Self, &'b [u8])> {
        let (&tag, rest) = bytes.split_first()?;
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            // The length of a length of two bytes or more.
            0x81..=0x84 => {
                let (length, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
                (length.iter().fold(0, |sum, &byte| (sum << 8) | usize::from(byte)), rest)
            }
            _ => return None,
        };
        let (contents, rest) = rest.split_at_checked(length)?;
        Some((Self { tag, contents }, rest))
    }

    /// The contents of the first value if it has that tag, and the bytes behind it.
    fn read_as(tag: u8, bytes: &'b [u8]) -> Option<(&'b [u8], &'b [u8])> {
        let (element, rest) = Self::read(bytes)?;
        (element.tag == tag).then_some((element.contents, rest))
    }

    /// A time as RFC 5280 writes it, `YYMMDDHHMMSSZ` or `YYYYMMDDHHMMSSZ`.
    fn time(&self) -> Option<SystemTime> {
        let digits = self.contents.strip_suffix(b"Z")?;
        let mut pairs = digits.chunks(2).map(|pair| {
            let [tens, ones] = pair else { return None };
            let digit = |byte: &u8| byte.is_ascii_digit().then(|| u64::from(byte - b'0'));
            Some(digit(tens)? * 10 + digit(ones)?)
        });
        let mut next = || pairs.next().flatten();
        let year = match self.tag {
            UTC_TIME => next().map(|year| if year < 50 { 2000 + year } else { 1900 + year })?,
            GENERALIZED_TIME => next()? * 100 + next()?,
            _ => return None,
        };
        let (month, day) = (next()?, next()?);
        let (hour, minute, second) = (next()?, next()?, next()?);
        let is_time = (1..=12).contains(&month) && (1..=31).contains(&day);
        if !is_time || hour > 23 || minute > 59 || second > 59 || pairs.next().is_some() {
            return None;
        }
        let seconds = days(year, month, day)? * 86_400 + hour * 3_600 + minute * 60 + second;
        UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
    }
}

/// The days from 1970 to a date; `None` before that.
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    // Years are counted from March, so that leap days end them.
    let (year, month) =
        if month < 3 { (year.checked_sub(1)?, month + 9) } else { (year, month - 3) };
    let before = year * 365 + year / 4 - year / 100 + year / 400;
    (before + (153 * month + 2) / 5 + day - 1).checked_sub(719_468)
}
