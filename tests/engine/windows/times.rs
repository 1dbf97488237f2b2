//! When windows are open: by examples, and against an oracle that walks the minutes.

use std::collections::HashMap;

use jiff::{Timestamp, civil, tz::TimeZone};
use peerage::request::{Day, Moment, Window, Zone};
use proptest::{prelude::*, sample::select};

use super::moment;

fn window(days: &[Day], from: &str, to: &str, zone: &str, except: &[&str]) -> Window {
    Window {
        name: "w".into(),
        days: days.to_vec(),
        from: from.parse().unwrap(),
        to: to.parse().unwrap(),
        zone: Zone::find(zone).unwrap(),
        except: except.iter().map(|date| date.parse().unwrap()).collect(),
    }
}

const MONDAY: &[Day] = &[Day::Monday];

/// A window, a moment, whether it is open, and the edges before and after.
type Case =
    (&'static str, &'static [Day], [&'static str; 3], &'static [&'static str], [&'static str; 2]);

#[test]
fn windows_open_and_close_by_the_clocks_of_their_zone() {
    const BERLIN: &str = "Europe/Berlin";
    const CASES: &[Case] = &[
        (
            "in winter",
            Day::ALL,
            ["08:00", "15:30", BERLIN],
            &[],
            ["2026-11-30T07:00:00Z", "2026-11-30T14:30:00Z"],
        ),
        (
            "in summer",
            Day::ALL,
            ["08:00", "15:30", BERLIN],
            &[],
            ["2026-07-01T06:00:00Z", "2026-07-01T13:30:00Z"],
        ),
        (
            "over midnight",
            MONDAY,
            ["22:00", "06:00", "UTC"],
            &[],
            ["2026-11-30T22:00:00Z", "2026-12-01T06:00:00Z"],
        ),
        (
            "to the end of the day",
            MONDAY,
            ["22:00", "24:00", "UTC"],
            &[],
            ["2026-11-30T22:00:00Z", "2026-12-01T00:00:00Z"],
        ),
        (
            "days that meet",
            &[Day::Saturday, Day::Sunday],
            ["00:00", "24:00", "UTC"],
            &[],
            ["2026-11-28T00:00:00Z", "2026-11-30T00:00:00Z"],
        ),
        (
            "days that an exception parts",
            Day::ALL,
            ["00:00", "24:00", "UTC"],
            &["2026-11-28", "2026-12-03"],
            ["2026-11-29T00:00:00Z", "2026-12-03T00:00:00Z"],
        ),
        // The clocks go from 2:00 to 3:00.
        (
            "a beginning that is skipped",
            Day::ALL,
            ["02:30", "05:00", BERLIN],
            &[],
            ["2026-03-29T01:30:00Z", "2026-03-29T03:00:00Z"],
        ),
        (
            "an end that is skipped",
            Day::ALL,
            ["01:00", "02:30", BERLIN],
            &[],
            ["2026-03-29T00:00:00Z", "2026-03-29T01:30:00Z"],
        ),
        // The clocks go from 3:00 back to 2:00.
        (
            "a beginning that comes twice",
            Day::ALL,
            ["02:30", "05:00", BERLIN],
            &[],
            ["2026-10-25T00:30:00Z", "2026-10-25T04:00:00Z"],
        ),
        (
            "an end that comes twice",
            Day::ALL,
            ["01:00", "02:30", BERLIN],
            &[],
            ["2026-10-24T23:00:00Z", "2026-10-25T00:30:00Z"],
        ),
        (
            "half an hour",
            Day::ALL,
            ["08:00", "09:00", "Asia/Kolkata"],
            &[],
            ["2026-01-01T02:30:00Z", "2026-01-01T03:30:00Z"],
        ),
    ];
    for (what, days, [from, to, zone], except, [opens, closes]) in CASES {
        let window = window(days, from, to, zone, except);
        let (opens, closes) = (moment(opens), moment(closes));
        let before = Moment::from_millis(opens.millis() - 1);
        let last = Moment::from_millis(closes.millis() - 1);
        let open = [before, opens, last, closes].map(|at| window.is_open(at));
        assert_eq!(open, [false, true, true, false], "{what}");
        assert_eq!(window.next_edge(before), Some(opens), "{what}");
        assert_eq!(window.next_edge(opens), Some(closes), "{what}");
        assert_eq!(window.last_edge(last), Some(opens), "{what}");
        assert_eq!(window.last_edge(opens), Some(opens), "{what}");
    }
}

#[test]
fn a_window_that_is_always_open_has_no_edges() {
    let always = window(Day::ALL, "00:00", "24:00", "America/New_York", &[]);
    let at = moment("2026-11-30T07:00:00Z");
    assert!(always.is_open(at));
    assert_eq!((always.next_edge(at), always.last_edge(at)), (None, None));
    let never = window(MONDAY, "08:00", "09:00", "UTC", &["2026-11-30"]);
    assert_eq!(never.next_edge(at), Some(moment("2026-12-07T08:00:00Z")));
}

#[test]
fn edges_behind_many_exceptions_are_found_without_a_look_at_each_day() {
    let begun = std::time::Instant::now();
    let at = moment("2026-11-30T07:00:00Z");
    let far = window(Day::ALL, "00:00", "24:00", "Europe/Berlin", &["1971-03-04", "9999-12-01"]);
    assert_eq!(far.next_edge(at), Some(moment("9999-11-30T23:00:00Z")));
    assert_eq!(far.last_edge(at), Some(moment("1971-03-04T23:00:00Z")));
    let mut mondays = window(MONDAY, "08:00", "09:00", "UTC", &[]);
    let first: civil::Date = "2026-11-30".parse().unwrap();
    let skipped = (0..500).filter(|&week| week != 300);
    let skipped = skipped.map(|week| first.saturating_add(jiff::Span::new().weeks(week)));
    mondays.except = skipped.map(|date| date.to_string().parse().unwrap()).collect();
    assert_eq!(mondays.next_edge(at), Some(moment("2032-08-30T08:00:00Z")));
    let after = moment("2036-06-30T07:00:00Z");
    assert_eq!(mondays.last_edge(after), Some(moment("2032-08-30T09:00:00Z")));
    assert!(begun.elapsed() < std::time::Duration::from_secs(5));
}

#[test]
fn a_window_at_either_end_of_time_fails_nothing() {
    let window = window(Day::ALL, "22:00", "06:00", "Europe/Berlin", &[]);
    assert!(window.is_open(Moment::from_millis(0)));
    assert_eq!(window.last_edge(Moment::from_millis(0)), None);
    let last = Moment::MAX;
    let _ = (window.is_open(last), window.next_edge(last), window.last_edge(last));
}

/// The minutes of some days, by the clocks of a zone.
struct Walk {
    first: i64,
    clock: Vec<civil::DateTime>,
    /// The first minute at which the clocks show a time.
    first_at: HashMap<civil::DateTime, i64>,
    /// How far ahead of UTC the clocks are at each minute, in minutes.
    ahead: Vec<i64>,
}

const DAY: i64 = 24 * 60;

impl Walk {
    fn of(zone: &str, around: i64, days: i64) -> Self {
        let zone = TimeZone::get(zone).unwrap();
        let first = around - 4 * DAY;
        let (mut clock, mut ahead, mut first_at) = (Vec::new(), Vec::new(), HashMap::new());
        for minute in first..around + days * DAY {
            let at = Timestamp::from_second(minute * 60).unwrap();
            let shown = zone.to_datetime(at);
            first_at.entry(shown).or_insert(minute);
            ahead.push(i64::from(zone.to_offset(at).seconds()) / 60);
            clock.push(shown);
        }
        Self { first, clock, first_at, ahead }
    }

    /// The minute at which the clocks show a time first; where they skip it, that by the clock of before.
    fn minute(&self, time: civil::DateTime) -> Option<i64> {
        if let Some(&minute) = self.first_at.get(&time) {
            return Some(minute);
        }
        let after = self.clock.iter().position(|&shown| shown > time)?;
        let utc = TimeZone::UTC.to_timestamp(time).unwrap().as_second() / 60;
        Some(utc - self.ahead.get(after.checked_sub(1)?)?)
    }

    fn openings(&self, window: &Window) -> Vec<(i64, i64)> {
        let mut dates: Vec<civil::Date> = self.clock.iter().map(|time| time.date()).collect();
        dates.dedup();
        let on = |date: civil::Date, time: &str| {
            let (hour, minute) = time.split_once(':').unwrap();
            let (hour, minute): (i8, i8) = (hour.parse().unwrap(), minute.parse().unwrap());
            match hour {
                24 => date.tomorrow().unwrap().at(0, 0, 0, 0),
                _ => date.at(hour, minute, 0, 0),
            }
        };
        let (from, to) = (window.from.to_string(), window.to.to_string());
        let is_chosen = |date: &civil::Date| {
            let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
            let day = days[usize::try_from(date.weekday().to_monday_zero_offset()).unwrap()];
            window.days.iter().any(|known| known.as_str() == day)
                && window.except.iter().all(|known| known.to_string() != date.to_string())
        };
        let chosen = dates.into_iter().filter(is_chosen);
        chosen
            .filter_map(|date| {
                let last = if to < from { date.tomorrow().unwrap() } else { date };
                Some((self.minute(on(date, &from))?, self.minute(on(last, &to))?))
            })
            .collect()
    }
}

fn days() -> impl Strategy<Value = Vec<Day>> {
    proptest::sample::subsequence(Day::ALL.to_vec(), 1..=7)
}

/// Zones with changes of all kinds: at midnight, by half an hour, a whole day skipped, and none.
const ZONES: [&str; 9] = [
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Africa/Cairo",
    "America/Santiago",
    "Pacific/Apia",
    "Asia/Kolkata",
    "Africa/Casablanca",
    "UTC",
];

/// Beginnings of changes, around which most moments lie.
const CHANGES: [&str; 9] = [
    "2026-03-29T01:00:00Z",
    "2026-10-25T01:00:00Z",
    "2026-03-08T07:00:00Z",
    "2026-11-01T06:00:00Z",
    "2026-04-04T15:00:00Z",
    "2026-04-23T22:00:00Z",
    "2026-09-06T04:00:00Z",
    "2011-12-30T10:00:00Z",
    "2027-02-07T02:00:00Z",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn open_moments_and_edges_are_those_of_a_walk_through_the_minutes(
        days in days(),
        from in 0_i64..DAY,
        length in 1_i64..DAY,
        zone in select(&ZONES[..]),
        change in select(&CHANGES[..]),
        offset in -3 * DAY..3 * DAY,
        except in 0_i64..6,
    ) {
        let around = i64::try_from(moment(change).millis()).unwrap() / 60_000 + offset;
        let text = |minute: i64| format!("{:02}:{:02}", minute / 60, minute % 60);
        let to = match from + length {
            DAY => DAY,
            to => to % DAY,
        };
        let mut window = window(&days, &text(from), &text(to), zone, &[]);
        let walk = Walk::of(zone, around, 14);
        let excepted = walk.clock[usize::try_from((except + 1) * DAY).unwrap()].date();
        window.except = vec![excepted.to_string().parse().unwrap()];
        let openings = walk.openings(&window);
        let is_open = |minute: i64| openings.iter().any(|&(from, to)| from <= minute && minute < to);
        let at = |minute: i64| Moment::from_millis(u64::try_from(minute * 60_000).unwrap());
        for minute in (around - DAY..around + 2 * DAY).step_by(7) {
            prop_assert_eq!(window.is_open(at(minute)), is_open(minute), "minute {}", minute - around);
        }
        let now = is_open(around);
        let next = (around + 1..around + 10 * DAY).find(|&minute| is_open(minute) != now);
        if let Some(next) = next {
            prop_assert_eq!(window.next_edge(at(around)), Some(at(next)));
        }
        let last = (walk.first + 2 * DAY..=around).rev().find(|&minute| is_open(minute - 1) != now);
        if let Some(last) = last {
            prop_assert_eq!(window.last_edge(at(around)), Some(at(last)));
        }
    }
}
