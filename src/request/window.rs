//! Windows of time: on which days and between which times of day they are open, by the clock of a zone.

use std::{fmt, str::FromStr, sync::Arc};

use jiff::{
    Timestamp, ToSpan,
    civil::{Date, DateTime, Time, Weekday},
    tz::{TimeZone, TimeZoneDatabase},
};
use thiserror::Error;

use super::{Moment, text_enum::text_enum};

text_enum! {
    /// A day of the week.
    Day: "day" {
        Monday = "mon",
        Tuesday = "tue",
        Wednesday = "wed",
        Thursday = "thu",
        Friday = "fri",
        Saturday = "sat",
        Sunday = "sun",
    }
}

impl From<Weekday> for Day {
    fn from(day: Weekday) -> Self {
        match day {
            Weekday::Monday => Self::Monday,
            Weekday::Tuesday => Self::Tuesday,
            Weekday::Wednesday => Self::Wednesday,
            Weekday::Thursday => Self::Thursday,
            Weekday::Friday => Self::Friday,
            Weekday::Saturday => Self::Saturday,
            Weekday::Sunday => Self::Sunday,
        }
    }
}

/// The flaw of a text that is not a time of day or a date.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum InvalidTimeError {
    #[error("expected a time of day from 00:00 to 24:00, with two digits each")]
    Time,
    #[error("expected a date as year, month and day: 2026-12-24")]
    Date,
    #[error("there is no such day")]
    Nonexistent,
}

/// A time of day on a clock on the wall, in minutes; 24:00 is the end of the day.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct WindowTime(u16);

impl WindowTime {
    const END_OF_DAY: u16 = 24 * 60;

    /// The date and the time on the clock when this time of a day has come.
    fn on(self, date: Date) -> Option<DateTime> {
        let (hour, minute) = (i8::try_from(self.0 / 60).ok()?, i8::try_from(self.0 % 60).ok()?);
        if self.0 < Self::END_OF_DAY {
            return Some(date.to_datetime(Time::new(hour, minute, 0, 0).ok()?));
        }
        Some(date.tomorrow().ok()?.to_datetime(Time::midnight()))
    }
}

impl FromStr for WindowTime {
    type Err = InvalidTimeError;

    fn from_str(text: &str) -> Result<Self, InvalidTimeError> {
        let (hour, minute) = text.split_once(':').ok_or(InvalidTimeError::Time)?;
        let number = |digits: &str| -> Option<u16> {
            let is_right = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
            is_right.then(|| digits.parse().ok())?
        };
        match (number(hour), number(minute)) {
            (Some(hour), Some(minute)) if minute < 60 => Some(hour * 60 + minute),
            _ => None,
        }
        .filter(|&minutes| minutes <= Self::END_OF_DAY)
        .map(Self)
        .ok_or(InvalidTimeError::Time)
    }
}

impl fmt::Display for WindowTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

/// A date of the calendar.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct WindowDate(Date);

impl FromStr for WindowDate {
    type Err = InvalidTimeError;

    fn from_str(text: &str) -> Result<Self, InvalidTimeError> {
        let is_right = text.len() == 10
            && text.bytes().enumerate().all(|(at, byte)| match at {
                4 | 7 => byte == b'-',
                _ => byte.is_ascii_digit(),
            });
        if !is_right {
            return Err(InvalidTimeError::Date);
        }
        text.parse().map(Self).map_err(|_| InvalidTimeError::Nonexistent)
    }
}

impl fmt::Display for WindowDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A time zone, with the changes of its clocks.
#[derive(Clone, Debug)]
pub struct Zone {
    name: Arc<str>,
    clock: TimeZone,
}

impl Zone {
    /// The zone of a name in the IANA database, of which a copy is a part of the program. `None` if there is none,
    /// or if it is spelled otherwise there. Costs a search, and reads the changes of this one zone.
    pub fn find(name: &str) -> Option<Self> {
        let clock = TimeZoneDatabase::bundled().get(name).ok()?;
        let is_exact = clock.iana_name().is_some_and(|known| known == name);
        is_exact.then(|| Self { name: name.into(), clock })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// The moment at which the clocks of the zone show a time. One that they skip is as long after the change as it
    /// would be on the clock of before, and of one that they show twice it is the first.
    fn moment(&self, time: DateTime) -> Option<Moment> {
        let time = self.clock.to_timestamp(time).ok()?.as_millisecond();
        Some(Moment::from_millis(u64::try_from(time).unwrap_or_default()))
    }

    /// The date at a moment.
    fn date(&self, at: Moment) -> Option<Date> {
        let time = Timestamp::from_millisecond(i64::try_from(at.millis()).ok()?).ok()?;
        Some(self.clock.to_datetime(time).date())
    }
}

impl PartialEq for Zone {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Zone {}

/// The names of all zones that there are.
pub fn zone_names() -> Vec<String> {
    TimeZoneDatabase::bundled().available().map(|name| name.to_string()).collect()
}

/// A window of time, open from one time of day to another on certain days, by the clocks of a zone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Window {
    pub name: Arc<str>,
    /// The days of the week on which it opens, in order; all of them where the policy names none.
    pub days: Vec<Day>,
    pub from: WindowTime,
    /// The time at which it closes: on the next day, if that is before `from`.
    pub to: WindowTime,
    pub zone: Zone,
    /// The dates on which it does not open, in order.
    pub except: Vec<WindowDate>,
}

/// The days that are looked at from a moment, or an exception, on to find an edge: all days of a week, and some around
/// it.
const DAYS_AHEAD: i32 = 10;

impl Window {
    /// Whether the window is open at a moment. Costs a look-up of the zone's changes for three days.
    pub fn is_open(&self, at: Moment) -> bool {
        self.days_from_before(at)
            .take(4)
            .any(|date| self.opening(date).is_some_and(|(from, to)| from <= at && at < to))
    }

    /// The next moment after this one at which the window opens or closes; `None` if it never does. Costs a look-up
    /// of the zone's changes for a few days, and as many more around each exception until then.
    pub fn next_edge(&self, after: Moment) -> Option<Moment> {
        let is_open = self.is_open(after);
        let mut next = self.days_from_before(after).next();
        let mut last = next?.saturating_add(DAYS_AHEAD.days());
        while let Some(mut date) = next {
            if date > last {
                // Up to the next exception, each week is as the one before.
                let at = self.except.partition_point(|except| except.0 < date);
                let except = self.except.get(at)?.0;
                date = date.max(except.saturating_sub(2.days()));
                last = except;
            }
            if self.is_excepted(date) {
                last = date.saturating_add(DAYS_AHEAD.days());
            }
            next = date.tomorrow().ok();
            let Some((from, to)) = self.opening(date) else { continue };
            let mut edges = [from, to].into_iter().filter(|&edge| edge > after);
            if let Some(edge) = edges.find(|&edge| self.is_open(edge) != is_open) {
                return Some(edge);
            }
        }
        None
    }

    /// The latest moment, not after this one, at which the window opened or closed; `None` if it never did. Costs as
    /// much as [`next_edge`](Self::next_edge).
    pub fn last_edge(&self, before: Moment) -> Option<Moment> {
        let is_open = self.is_open(before);
        let today = self.zone.date(before)?;
        let mut first = today.saturating_sub(DAYS_AHEAD.days());
        let mut next = today.tomorrow().ok();
        while let Some(mut date) = next {
            if date < first {
                let at = self.except.partition_point(|except| except.0 <= date);
                let except = self.except.get(at.checked_sub(1)?)?.0;
                date = date.min(except.saturating_add(2.days()));
                first = except;
            }
            if self.is_excepted(date) {
                first = date.saturating_sub(DAYS_AHEAD.days());
            }
            next = date.yesterday().ok();
            let Some((from, to)) = self.opening(date) else { continue };
            let mut edges =
                [to, from].into_iter().filter(|&edge| edge <= before && edge.millis() > 0);
            let is_edge = |edge: &Moment| {
                let earlier = Moment::from_millis(edge.millis() - 1);
                self.is_open(*edge) == is_open && self.is_open(earlier) != is_open
            };
            if let Some(edge) = edges.find(is_edge) {
                return Some(edge);
            }
        }
        None
    }

    /// The dates from two days before a moment on: a window that is open then began on one of the first four.
    fn days_from_before(&self, at: Moment) -> impl Iterator<Item = Date> {
        let first = self.zone.date(at).map(|today| today.saturating_sub(2.days()));
        std::iter::successors(first, |date| date.tomorrow().ok())
    }

    fn is_excepted(&self, date: Date) -> bool {
        self.except.binary_search(&WindowDate(date)).is_ok()
    }

    /// When the window opens on a date, and when it closes then; `None` if it does not open.
    fn opening(&self, date: Date) -> Option<(Moment, Moment)> {
        if !self.days.contains(&Day::from(date.weekday())) || self.is_excepted(date) {
            return None;
        }
        let last = if self.to < self.from { date.tomorrow().ok()? } else { date };
        let (from, to) =
            (self.zone.moment(self.from.on(date)?)?, self.zone.moment(self.to.on(last)?)?);
        (from < to).then_some((from, to))
    }
}

/// The window's fields in the notation of policies.
impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name: _, days, from, to, zone, except } = self;
        if days.len() < Day::COUNT {
            write!(f, "{} ", join(days.iter().map(|day| day.as_str())))?;
        }
        write!(f, "{from} to {to} {}", zone.name())?;
        if !except.is_empty() {
            write!(f, " except {}", join(except.iter().map(ToString::to_string)))?;
        }
        Ok(())
    }
}

fn join(parts: impl Iterator<Item = impl AsRef<str>>) -> String {
    let parts: Vec<String> = parts.map(|part| part.as_ref().to_owned()).collect();
    parts.join(", ")
}
