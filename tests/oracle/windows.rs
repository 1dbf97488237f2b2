//! The oracle's windows of time: when they are open by the wall clocks of some zones.

/// The hours of some days, by the clock of a zone.
#[derive(Clone, Debug)]
pub(crate) struct Window {
    /// The days on which it begins, from Monday = 0; every day, if none is named.
    pub(crate) days: Option<Vec<i64>>,
    /// Minutes from midnight.
    pub(crate) from: i64,
    pub(crate) to: i64,
    pub(crate) zone: &'static str,
    /// Days since 1970 on which it does not begin.
    pub(crate) except: Vec<i64>,
}

/// The zones whose clocks the oracle knows, since 2007.
pub(crate) const ZONES: [&str; 4] = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"];

const DAY: i64 = 86_400;

impl Window {
    /// Whether it is open, this many seconds after 1970 in UTC.
    pub(crate) fn is_open(&self, now: i64) -> bool {
        self.edges(now).iter().any(|(from, to)| (*from..*to).contains(&now))
    }

    /// Its beginnings and ends about a moment, in seconds since 1970.
    pub(crate) fn edges(&self, now: i64) -> Vec<(i64, i64)> {
        let begins = |day: &i64| {
            // The first of January 1970 was a Thursday.
            let weekday = (day + 3).rem_euclid(7);
            self.days.as_ref().is_none_or(|days| days.contains(&weekday))
                && !self.except.contains(day)
        };
        let today = now.div_euclid(DAY);
        (today - 3..=today + 3)
            .filter(begins)
            .map(|day| {
                let over_midnight = i64::from(self.to < self.from);
                let from = moment(day * DAY + self.from * 60, self.zone);
                (from, moment((day + over_midnight) * DAY + self.to * 60, self.zone))
            })
            .collect()
    }
}

/// The moment at which the wall clock of a zone shows a time. One that it skips is as much later as it skips,
/// and of one that it shows twice it is the first.
fn moment(wall: i64, zone: &str) -> i64 {
    let offsets = [offset(wall - DAY, zone), offset(wall + DAY, zone)];
    let mut shown = offsets.map(|it| wall - it).into_iter().zip(offsets);
    let found = shown.find(|(at, by)| offset(*at, zone) == *by);
    found.map_or(wall - offsets[0], |(at, _)| at)
}

/// By how many seconds the wall clock of a zone is ahead of UTC at a moment.
fn offset(at: i64, zone: &str) -> i64 {
    match zone {
        "Asia/Kolkata" => 19_800,
        "Europe/Berlin" => {
            let year = year(at);
            let begin = last_sunday(year, 3) * DAY + 3_600;
            let end = last_sunday(year, 10) * DAY + 3_600;
            if (begin..end).contains(&at) { 7_200 } else { 3_600 }
        }
        "America/New_York" => {
            let year = year(at);
            // The second Sunday of March and the first one of November, at two o'clock.
            let begin = (sunday_from(day(year, 3, 8))) * DAY + 7_200 + 18_000;
            let end = (sunday_from(day(year, 11, 1))) * DAY + 7_200 + 14_400;
            if (begin..end).contains(&at) { -14_400 } else { -18_000 }
        }
        _ => 0,
    }
}

fn year(at: i64) -> i64 {
    (1970..10_000).find(|year| at < day(year + 1, 1, 1) * DAY).unwrap_or(1970)
}

/// The number of a day since 1970.
pub(crate) fn day(year: i64, month: usize, date: i64) -> i64 {
    let is_leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let years: i64 = (1970..year).map(|year| 365 + i64::from(is_leap(year))).sum();
    let lengths = [31, 28 + i64::from(is_leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    years + lengths[..month - 1].iter().sum::<i64>() + date - 1
}

/// A day and the six after it hold one Sunday.
fn sunday_from(day: i64) -> i64 {
    day + (3 - day).rem_euclid(7)
}

fn last_sunday(year: i64, month: usize) -> i64 {
    // Both months have 31 days.
    sunday_from(day(year, month, 25))
}
