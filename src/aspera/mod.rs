//! What Aspera and AWS say: encryption, keys, files, the installation, its services.

pub mod asconfigurator;
pub mod aspera_conf;
pub mod audit;
pub mod command;
pub mod display;
pub mod docroot_block;
pub mod docroot_check;
pub mod docroot_display;
pub mod docroot_plan;
pub mod docroot_uri;
pub mod encryption;
pub mod found_value;
pub mod incomplete;
pub mod installation;
pub mod kms_key;
pub mod os_accounts;
pub mod s3_properties;
pub mod services;
