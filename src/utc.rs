//! Points in time as text, in UTC.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A point in time in the Gregorian calendar, to the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Utc {
    /// The year, from 1970.
    pub year: u64,
    /// The month, 1 to 12.
    pub month: u64,
    /// The day, 1 to 31.
    pub day: u64,
    /// The hour, 0 to 23.
    pub hour: u64,
    /// The minute, 0 to 59.
    pub minute: u64,
    /// The second, 0 to 59.
    pub second: u64,
}

impl From<SystemTime> for Utc {
    /// Times before 1970 become its start.
    fn from(time: SystemTime) -> Self {
        let since_epoch = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        let seconds = since_epoch.as_secs();
        // Years counted from March put the leap day last; 719,468 days lie between 1 March of year 0 and 1970.
        let days = seconds / 86_400 + 719_468;
        let era = days / 146_097;
        let day_of_era = days % 146_097;
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let months_from_march = (5 * day_of_year + 2) / 153;
        let month = if months_from_march < 10 {
            months_from_march + 3
        } else {
            months_from_march - 9
        };
        Self {
            year: era * 400 + year_of_era + u64::from(month <= 2),
            month,
            day: day_of_year - (153 * months_from_march + 2) / 5 + 1,
            hour: seconds / 3_600 % 24,
            minute: seconds / 60 % 60,
            second: seconds % 60,
        }
    }
}

impl Utc {
    /// The inverse of [`Utc::from`]; nothing where a number is out of its range, as it may be in a text that somebody else wrote.
    pub fn time(self) -> Option<SystemTime> {
        let is_in_range = (1970..10_000).contains(&self.year)
            && (1..=12).contains(&self.month)
            && (1..=31).contains(&self.day)
            && self.hour < 24
            && self.minute < 60
            // A leap second is written as 60.
            && self.second <= 60;
        if !is_in_range {
            return None;
        }
        let months_from_march = (self.month + 9) % 12;
        let year = self.year - u64::from(self.month <= 2);
        let day_of_year = (153 * months_from_march + 2) / 5 + self.day - 1;
        let days = year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719_468;
        let seconds = days * 86_400 + self.hour * 3_600 + self.minute * 60 + self.second;
        UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
    }
}

impl Utc {
    /// Reads a time in the form of ISO 8601: a date, or a date with a time, which may have a fraction of a second and a zone. Without a zone it is UTC.
    pub fn parse(text: &str) -> Option<SystemTime> {
        let (date, time) = text.split_once(['T', ' ']).unwrap_or((text, "00:00Z"));
        let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
        let zone_start = time.find(['Z', '+', '-']).unwrap_or(time.len());
        let (time, zone) = time.split_at(zone_start);
        let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
        let is_fraction =
            !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit());
        let [hour, minute, second] = match numbers(time, ':', [2, 2]) {
            Some([hour, minute]) => [hour, minute, 0],
            None => numbers(time, ':', [2, 2, 2])?,
        };
        let local = Self {
            year,
            month,
            day,
            hour,
            minute,
            second,
        };
        let time = local.exactly().filter(|_| is_fraction)?;
        let (sign, offset) = match zone.as_bytes().first() {
            None => return Some(time),
            Some(b'Z') if zone.len() == 1 => return Some(time),
            Some(sign) => (sign, &zone[1..]),
        };
        let digits = offset.replace(':', "");
        let [offset] = numbers(&digits, ':', [4])?;
        let seconds = Duration::from_secs(offset / 100 * 3_600 + offset % 100 * 60);
        if offset % 100 >= 60 || offset >= 2_400 {
            return None;
        }
        match sign {
            b'+' => time.checked_sub(seconds),
            b'-' => time.checked_add(seconds),
            _ => None,
        }
    }

    /// Reads a time as HTTP writes it (RFC 9110, 5.6.7): `Fri, 24 May 2013 00:00:00 GMT`.
    pub fn parse_http(text: &str) -> Option<SystemTime> {
        const MONTHS: [&str; 12] = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ];
        let (_, rest) = text.split_once(", ")?;
        let words: Vec<&str> = rest.split(' ').collect();
        let &[day, month, year, time, "GMT"] = words.as_slice() else {
            return None;
        };
        let month = MONTHS.iter().position(|known| *known == month)?;
        let [hour, minute, second] = numbers(time, ':', [2, 2, 2])?;
        let utc = Self {
            year: year.parse().ok()?,
            month: month as u64 + 1,
            day: day.parse().ok()?,
            hour,
            minute,
            second,
        };
        utc.exactly()
    }

    /// Returns the point in time, or `None` for a day that the month does not have.
    fn exactly(self) -> Option<SystemTime> {
        let time = self.time()?;
        let back = Self::from(time);
        (back.month == self.month || self.second == 60).then_some(time)
    }
}

/// Reads numbers with a fixed count of digits each, between separators.
fn numbers<const N: usize>(text: &str, separator: char, digits: [usize; N]) -> Option<[u64; N]> {
    let mut parts = text.split(separator);
    let mut found = [0; N];
    for (number, digits) in found.iter_mut().zip(digits) {
        let part = parts.next()?;
        let is_number = part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit());
        *number = part.parse().ok().filter(|_| is_number)?;
    }
    parts.next().is_none().then_some(found)
}

impl fmt::Display for Utc {
    /// As RFC 3339 writes it: `2026-11-24T12:30:32Z`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
            self.year, self.month, self.day, self.hour, self.minute, self.second
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_around_leap_days_are_right() {
        for (seconds, expected) in [
            (0, (1970, 1, 1, 0, 0, 0)),
            (951_782_399, (2000, 2, 28, 23, 59, 59)),
            (951_782_400, (2000, 2, 29, 0, 0, 0)),
            (951_868_800, (2000, 3, 1, 0, 0, 0)),
            (1_735_689_599, (2024, 12, 31, 23, 59, 59)),
            (4_107_542_400, (2100, 3, 1, 0, 0, 0)),
        ] {
            let utc = Utc::from(UNIX_EPOCH + Duration::from_secs(seconds));
            let found = (
                utc.year, utc.month, utc.day, utc.hour, utc.minute, utc.second,
            );
            assert_eq!(found, expected);
            assert_eq!(utc.time(), Some(UNIX_EPOCH + Duration::from_secs(seconds)));
        }
    }

    #[test]
    fn numbers_out_of_range_are_no_time() {
        let start = Utc::from(UNIX_EPOCH);
        assert_eq!(start.time(), Some(UNIX_EPOCH));
        for utc in [
            Utc {
                year: 1969,
                ..start
            },
            Utc {
                year: u64::MAX,
                ..start
            },
            Utc { month: 0, ..start },
            Utc { month: 13, ..start },
            Utc { day: 0, ..start },
            Utc {
                month: 3,
                day: 0,
                ..start
            },
            Utc { day: 32, ..start },
            Utc { hour: 24, ..start },
            Utc {
                minute: 60,
                ..start
            },
            Utc {
                second: u64::MAX,
                ..start
            },
        ] {
            assert_eq!(utc.time(), None, "{utc}");
        }
    }

    #[test]
    fn texts_of_iso_8601_and_of_http_are_read() {
        let time = |text: &str| Utc::parse(text).map(|time| Utc::from(time).to_string());
        for (text, expected) in [
            ("2026-11-27", "2026-11-27T00:00:00Z"),
            ("2026-11-27T03:04:05.678Z", "2026-11-27T03:04:05Z"),
            ("2026-11-27 03:04", "2026-11-27T03:04:00Z"),
            ("2026-11-27T00:30:00+01:00", "2026-11-26T23:30:00Z"),
            ("2026-12-31T23:30:00-0100", "2027-01-01T00:30:00Z"),
            ("2024-02-29T00:00:00", "2024-02-29T00:00:00Z"),
        ] {
            assert_eq!(time(text).as_deref(), Some(expected), "{text}");
        }
        for text in [
            "",
            "setting",
            "2026",
            "2026-11",
            "27.11.2026",
            "2026-02-30",
            "2026-13-01",
            "2026-11-27T24:00:00Z",
            "2026-11-27T03:04:05.Z",
            "2026-11-27T03:04:05X",
            "2026-11-27T03:04:05+1",
            "2026-11-27T03:04:05+01:60",
            "2026-11-27T03:04:05Zx",
            "1969-12-31",
            "+026-11-27",
            "2026-11-27T03",
            "2026-11-27T\u{e9}",
        ] {
            assert_eq!(time(text), None, "{text}");
        }
        let time = |text: &str| Utc::parse_http(text).map(|time| Utc::from(time).to_string());
        let expected = Some("2013-05-24T00:00:00Z".to_owned());
        assert_eq!(time("Fri, 24 May 2013 00:00:00 GMT"), expected);
        for text in [
            "",
            "Fri, 24 May 2013 00:00:00",
            "24 May 2013 00:00:00 GMT",
            "Fri, 31 Feb 2013 00:00:00 GMT",
            "Fri, 24 Mai 2013 00:00:00 GMT",
        ] {
            assert_eq!(time(text), None, "{text}");
        }
    }

    #[test]
    fn any_time_has_a_text() {
        let last = UNIX_EPOCH + Duration::from_secs(i64::MAX.unsigned_abs());
        assert_eq!(Utc::from(last).year, 292_277_026_596);
        assert_eq!(
            Utc::from(UNIX_EPOCH - Duration::from_secs(1)),
            Utc::from(UNIX_EPOCH)
        );
    }
}
