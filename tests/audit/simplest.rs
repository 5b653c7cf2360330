//! The search for the smallest configuration that shows a difference.

use crate::configuration::{Block, Configuration, S3Properties, S3Settings, Trapd};

/// Returns the smallest configuration that still has a property, found by leaving things out.
pub fn simplest(
    mut configuration: Configuration,
    holds: impl Fn(&Configuration) -> bool,
) -> Configuration {
    while let Some(simpler) = simpler(&configuration)
        .into_iter()
        .find(|simpler| holds(simpler))
    {
        configuration = simpler;
    }
    configuration
}

/// Returns the configurations with one thing less.
fn simpler(configuration: &Configuration) -> Vec<Configuration> {
    let mut all = Vec::new();
    let mut with = |change: &dyn Fn(&mut Configuration)| {
        let mut simpler = configuration.clone();
        change(&mut simpler);
        if simpler != *configuration {
            all.push(simpler);
        }
    };
    let lists: [fn(&mut Configuration) -> &mut Vec<Block>; 3] = [
        |it| &mut it.users,
        |it| &mut it.groups,
        |it| &mut it.defaults,
    ];
    for list in lists {
        for index in 0..list(&mut configuration.clone()).len() {
            with(&|simpler| drop(list(simpler).remove(index)));
            with(&|simpler| list(simpler)[index].restrictions = false);
            with(&|simpler| list(simpler)[index].pvcl = false);
            with(&|simpler| list(simpler)[index].precedence = None);
            with(&|simpler| list(simpler)[index].unclear_name = None);
            with(&|simpler| list(simpler)[index].second_precedence = false);
            for place in 0..list(&mut configuration.clone())[index].docroots.len() {
                with(&|simpler| drop(list(simpler)[index].docroots.remove(place)));
                with(&|simpler| list(simpler)[index].docroots[place].peer_ip = None);
                let text = &configuration.clone();
                let text = list(&mut text.clone())[index].docroots[place].text.clone();
                for shorter in simpler_texts(&text) {
                    with(&|simpler| {
                        list(simpler)[index].docroots[place]
                            .text
                            .clone_from(&shorter);
                    });
                }
            }
        }
    }
    for index in 0..configuration.expect.len() {
        // Without any expectation, nothing is judged.
        if configuration.expect.len() > 1 {
            with(&|simpler| drop(simpler.expect.remove(index)));
        }
        with(&|simpler| simpler.expect[index].keys.truncate(1));
        with(&|simpler| simpler.expect[index].keys.clear());
        with(&|simpler| simpler.expect[index].scopes.truncate(1));
    }
    with(&|simpler| simpler.settled.clear());
    with(&|simpler| simpler.service_options = false);
    with(&|simpler| simpler.older_aspera_conf = false);
    with(&|simpler| simpler.older_s3_properties = false);
    with(&|simpler| simpler.version = Some("3.9.6".to_owned()));
    with(&|simpler| simpler.trapd = Trapd::Enabled);
    with(&|simpler| {
        simpler.s3_properties = S3Properties::Set(S3Settings {
            encryption: None,
            key: None,
            https_only: Some("true".to_owned()),
            nearly: Vec::new(),
        });
    });
    for index in 0..configuration.more_passwd.len() {
        with(&|simpler| drop(simpler.more_passwd.remove(index)));
    }
    for index in 0..configuration.more_group.len() {
        with(&|simpler| drop(simpler.more_group.remove(index)));
    }
    for name in ["a", "b"] {
        with(&|simpler| {
            simpler
                .passwd
                .iter_mut()
                .for_each(|lines| drop(lines.remove_entry(name)));
        });
    }
    for name in ["g", "h", "other"] {
        with(&|simpler| {
            simpler
                .group
                .iter_mut()
                .for_each(|lines| drop(lines.remove_entry(name)));
        });
    }
    all
}

fn simpler_texts(text: &str) -> Vec<String> {
    let mut texts = Vec::new();
    if let Some((base, query)) = text.split_once('?') {
        let options: Vec<&str> = query.split('&').collect();
        for left_out in 0..options.len() {
            let mut fewer = options.clone();
            fewer.remove(left_out);
            let mark = if fewer.is_empty() { "" } else { "?" };
            texts.push(format!("{base}{mark}{}", fewer.join("&")));
        }
    }
    if text.trim() != text {
        texts.push(text.trim().to_owned());
    }
    texts
}
