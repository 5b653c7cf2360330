//! A configuration with one hidden fact.

use crate::answer::{Answer, Verdict};
use crate::configuration::{Configuration, S3Properties, Trapd};

/// Returns each fact that can be hidden, with the configuration without it.
pub fn with_one_fact_hidden(configuration: &Configuration) -> Vec<(String, Configuration)> {
    let mut all = Vec::new();
    let mut hide = |fact: String, change: &dyn Fn(&mut Configuration)| {
        let mut hidden = configuration.clone();
        change(&mut hidden);
        if hidden != *configuration {
            all.push((fact, hidden));
        }
    };
    for user in configuration.passwd.iter().flat_map(|lines| lines.keys()) {
        hide(format!("the line of {user} in /etc/passwd"), &|hidden| {
            hidden.passwd.as_mut().map(|lines| lines.remove(user));
        });
    }
    for group in configuration.group.iter().flat_map(|lines| lines.keys()) {
        hide(format!("the line of {group} in /etc/group"), &|hidden| {
            hidden.group.as_mut().map(|lines| lines.remove(group));
            // Another line of the same name would be a certain one alone.
            let start = format!("{group}:");
            hidden.more_group.retain(|line| !line.starts_with(&start));
        });
    }
    hide("/etc/passwd".to_owned(), &|hidden| hidden.passwd = None);
    hide("/etc/group".to_owned(), &|hidden| hidden.group = None);
    hide("whether trapd is enabled".to_owned(), &|hidden| {
        hidden.trapd = Trapd::Unknown;
    });
    hide("the version".to_owned(), &|hidden| hidden.version = None);
    hide("s3.properties".to_owned(), &|hidden| {
        hidden.s3_properties = S3Properties::Unreadable;
    });
    // What cannot be read of a service counts as the worse possibility.
    hide("the units and processes of trapd".to_owned(), &|hidden| {
        hidden.service_options = true;
    });
    hide("the start of trapd".to_owned(), &|hidden| {
        hidden.older_s3_properties = true;
    });
    hide("the start of asperanoded".to_owned(), &|hidden| {
        hidden.older_aspera_conf = true;
    });
    hide("what objects have shown".to_owned(), &|hidden| {
        hidden.settled.clear();
    });
    hide("aspera.conf".to_owned(), &|hidden| {
        hidden.aspera_conf_readable = false;
    });
    all
}

/// Returns the error in an answer that is given with less knowledge, if there is one.
pub fn broken_law(known: &Answer, hidden: &Answer) -> Option<String> {
    let changed = match (known.compliant, hidden.compliant) {
        (_, None) => false,
        (known, hidden) => known != hidden,
    };
    if changed {
        return Some(format!(
            "compliant: {:?} became {:?}",
            known.compliant, hidden.compliant
        ));
    }
    for (place, verdicts) in &hidden.rows {
        let before = known.rows.get(place).map(Vec::as_slice).unwrap_or_default();
        // Verdicts of a place that occurs twice are counted.
        for kind in [
            &[Verdict::Violated] as &[Verdict],
            &[Verdict::Met, Verdict::NotS3],
        ] {
            let count = |verdicts: &[Verdict]| {
                verdicts
                    .iter()
                    .filter(|verdict| kind.contains(verdict))
                    .count()
            };
            if count(verdicts) > count(before) {
                return Some(format!("{place}: {before:?} became {verdicts:?}"));
            }
        }
    }
    None
}
