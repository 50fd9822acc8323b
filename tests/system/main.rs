//! What users do, through the real program and real clients. One binary, so that it links once.

mod anchors;
mod attacks;
mod backup;
mod bad_input;
mod bombs;
mod client;
mod clients;
mod crash;
mod damage;
mod disk;
mod keys;
mod kill;
mod locks;
mod log;
mod matching;
mod people;
mod placing;
mod review;
mod served;
mod settling;
mod template;
mod tree;
mod upload;
mod verify;
