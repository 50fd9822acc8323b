//! What users do, through the real program and real clients. One binary, so that it links once.

mod bad_input;
mod client;
mod clients;
mod crash;
mod damage;
mod disk;
mod locks;
mod people;
mod served;
mod tree;
mod upload;
mod verify;
