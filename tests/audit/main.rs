//! Proves the judgement of `aspera_sse_info`: by a table that an administrator can read, by a model that goes through all readings, and by the law that
//! less knowledge never makes an answer more certain.
//!
//! `AUDIT_CASES` is the number of random configurations, `AUDIT_FIRST` the number of the first.

mod answer;
mod code;
mod configuration;
mod generator;
mod hidden;
mod model;
mod short_form;
mod simplest;
mod table;

use std::collections::BTreeMap;
use std::env;

use answer::{Answer, Verdict};
use code::code_answer;
use configuration::Configuration;
use generator::Random;
use model::model_answer;

type Answers = fn(&Configuration) -> Answer;

#[test]
fn the_product_agrees_with_the_table() {
    table::check(code_answer);
}

#[test]
fn the_model_agrees_with_the_table() {
    table::check(model_answer);
}

#[test]
fn the_product_agrees_with_the_model() {
    let random = |case| (case, generator::configuration(&mut Random::new(case)));
    let with_odd_objects = cases()
        .step_by(4)
        .map(random)
        .filter(|(_, configuration)| !configuration.settled.is_empty())
        .map(|(case, configuration)| (case, with_an_odd_object(configuration)));
    for (case, configuration) in cases().map(random).chain(with_odd_objects) {
        if !is_same(&configuration) {
            let simplest = simplest::simplest(configuration, |simpler| !is_same(simpler));
            panic!(
                "case {case}\n{}the product:\n{}the model:\n{}",
                shown(&simplest),
                code_answer(&simplest),
                model_answer(&simplest)
            );
        }
    }
}

/// An object with a key that no file names. The laws do not hold for it: it contradicts what is known.
fn with_an_odd_object(mut configuration: Configuration) -> Configuration {
    let key = "arn:aws:kms:us-east-1:111122223333:key/cccccccc-12ab-34cd-56ef-1234567890ab";
    for settled in &mut configuration.settled {
        "AWS_KMS".clone_into(&mut settled.encryption);
        settled.key = Some(key.to_owned());
    }
    configuration
}

/// Returns whether the answers are the same. Of several reasons, one in common is enough: after a reason that leaves everything open, the model looks for no
/// others.
fn is_same(configuration: &Configuration) -> bool {
    let (code, model) = (code_answer(configuration), model_answer(configuration));
    code.without_reasons() == model.without_reasons() && code.shares_a_reason_with(&model)
}

#[test]
fn the_product_is_never_more_certain_with_less_knowledge() {
    check_hidden_knowledge(code_answer);
}

#[test]
fn the_model_is_never_more_certain_with_less_knowledge() {
    check_hidden_knowledge(model_answer);
}

fn check_hidden_knowledge(answers: Answers) {
    // Each configuration is answered a dozen times.
    for case in cases().step_by(4) {
        let configuration = generator::configuration(&mut Random::new(case));
        if breaks_the_law(&configuration, answers).is_some() {
            let simplest = simplest::simplest(configuration, |simpler| {
                breaks_the_law(simpler, answers).is_some()
            });
            let (fact, what) = breaks_the_law(&simplest, answers).expect("it still does");
            let known = answers(&simplest);
            panic!(
                "case {case}, without {fact}: {what}\n{}{known}",
                shown(&simplest)
            );
        }
    }
}

fn breaks_the_law(configuration: &Configuration, answers: Answers) -> Option<(String, String)> {
    let known = answers(configuration);
    let hidden = hidden::with_one_fact_hidden(configuration);
    hidden.into_iter().find_map(|(fact, hidden)| {
        let what = hidden::broken_law(&known, &answers(&hidden))?;
        Some((fact, what))
    })
}

/// The text is read back by a third-party parser.
#[test]
fn aspera_conf_has_the_content_of_the_configuration() {
    for case in 0..500 {
        let configuration = generator::configuration(&mut Random::new(case));
        let text = configuration.to_aspera_conf();
        let document = roxmltree::Document::parse(&text).expect("XML");
        let elements = document
            .descendants()
            .filter(|node| node.has_tag_name("absolute"));
        // Its text() is what stands before a comment.
        let text_of = |node: roxmltree::Node| -> String {
            let texts = node.children().filter(roxmltree::Node::is_text);
            texts.filter_map(|text| text.text()).collect()
        };
        let written = elements.map(|node| (text_of(node), node.attribute("peer_ip")));
        let Configuration {
            users,
            groups,
            defaults,
            ..
        } = &configuration;
        let docroots = [defaults, users, groups]
            .into_iter()
            .flatten()
            .flat_map(|block| &block.docroots);
        let meant = docroots.map(|docroot| {
            let text = docroot.text.replace(configuration::COMMENT, "");
            (text, docroot.peer_ip.as_deref())
        });
        assert!(written.eq(meant), "case {case}: {text}");
    }
}

/// A model proves nothing about a part that is never reached.
#[test]
fn the_random_configurations_reach_every_verdict_and_reason() {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut count = |what: String| *counts.entry(what).or_default() += 1;
    for case in 0..3_000 {
        let mut configuration = generator::configuration(&mut Random::new(case));
        let answer = model_answer(&configuration);
        if !std::mem::take(&mut configuration.settled).is_empty()
            && model_answer(&configuration) != answer
        {
            count("settled by an object".to_owned());
        }
        count(format!("compliant {:?}", answer.compliant));
        for verdict in answer.rows.into_values().flatten() {
            match verdict {
                Verdict::Unknown(reasons) => reasons.into_iter().for_each(&mut count),
                other => count(other.to_string()),
            }
        }
    }
    for wanted in [
        "settled by an object",
        "compliant None",
        "compliant Some(false)",
        "compliant Some(true)",
        "met",
        "not_judged",
        "not_s3",
        "violated",
        "access_keys",
        "alias",
        "blanks_around_key",
        "client_address",
        "comment_in_docroot",
        "docroot_and_file",
        "empty_docroot",
        "fragment",
        "groups_unknown",
        "https_not_forced",
        "key_of_another_region",
        "key_of_trapd",
        "key_without_encryption",
        "key_without_kms",
        "letter_case",
        "multi_region_key",
        "nearly_a_setting",
        "nearly_an_option",
        "none_in_docroot",
        "not_amazon",
        "older_file",
        "precedence",
        "pvcl_cloud",
        "question_mark",
        "question_mark_in_credentials",
        "repeated_option",
        "restrictions_and_docroot",
        "same_precedence",
        "scheme_in_capitals",
        "service_options",
        "several_docroots",
        "trapd_off",
        "trapd_unknown",
        "unclear_host",
        "unclear_name",
        "undocumented_value",
        "version_unknown",
        "unknown_docroot",
        "unreadable",
    ] {
        let times = counts.get(wanted).copied().unwrap_or_default();
        assert!(times >= 10, "{wanted}: {times} times in {counts:#?}");
    }
}

fn cases() -> std::ops::Range<u64> {
    let number = |name: &str, default| match env::var(name) {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("{name} is not a number: {text}")),
        Err(_) => default,
    };
    let first = number("AUDIT_FIRST", 0);
    first..first + number("AUDIT_CASES", 20_000)
}

/// Returns the configuration as the files that it writes, and the rest.
fn shown(configuration: &Configuration) -> String {
    format!(
        "{}{:?}\n{}passwd: {:?}\ngroup: {:?}\ntrapd: {:?}\nversion: {:?}\nservice options: {}\nolder aspera.conf: {}\n\
         older s3.properties: {}\naspera.conf readable: {}\nsettled: {:?}\nexpect: {:#?}\n",
        configuration.to_aspera_conf(),
        configuration.s3_properties,
        configuration.to_s3_properties().unwrap_or_default(),
        configuration.to_passwd(),
        configuration.to_group(),
        configuration.trapd,
        configuration.version,
        configuration.service_options,
        configuration.older_aspera_conf,
        configuration.older_s3_properties,
        configuration.aspera_conf_readable,
        configuration.settled,
        configuration.expect
    )
}
