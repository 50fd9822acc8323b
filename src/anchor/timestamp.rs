//! Time-stamps (RFC 3161): asking an authority, and judging what it answered. The answers are kept as they came,
//! so that `openssl ts -verify` judges them, too.

use cms::content_info::CmsVersion;
use cms::signed_data::{EncapsulatedContentInfo, SignerIdentifier, SignerInfo, SignerInfos};
use der::asn1::{Any, ObjectIdentifier, OctetString, SetOfVec};
use der::oid::db::{rfc5911, rfc5912};
use der::{Decode as _, Encode as _, Sequence};
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use signature::hazmat::PrehashVerifier as _;
use x509_cert::Certificate;
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage};
use x509_cert::spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};
use x509_tsp::{MessageImprint, TimeStampReq, TimeStampResp, TspVersion, TstInfo};

/// Certificates from the one that signed to one of the authority's, both counted.
const CHAIN_MAX: usize = 6;
/// The type of a time-stamp's content (RFC 3161, section 2.4.2).
const ID_CT_TST_INFO: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.1.4");
/// Longest answer that is read, in bytes.
const TOKEN_MAX_BYTES: usize = 64 << 10;

/// Why an answer is no time-stamp of the content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimestampError {
    /// Not of the form of RFC 3161 and RFC 5652.
    #[error("not a time-stamp: {0}")]
    Form(String),
    /// The authority refused.
    #[error("the authority refused: {0}")]
    Refused(String),
    /// It stamps something else.
    #[error("it stamps another content")]
    OtherContent,
    /// The signature, or the certificate under it.
    #[error("{0}")]
    Untrusted(&'static str),
}

impl From<der::Error> for TimestampError {
    fn from(error: der::Error) -> TimestampError {
        TimestampError::Form(error.to_string())
    }
}

/// What an authority says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// When it saw the content, in milliseconds since 1970-01-01 UTC.
    pub time: u64,
}

/// The certificates that an answer must lead to.
#[derive(Debug, Clone)]
pub struct Authority {
    certificates: Vec<Certificate>,
}

impl Authority {
    /// Reads one or more certificates in PEM.
    pub fn from_pem(pem: &[u8]) -> Result<Authority, TimestampError> {
        let certificates = Certificate::load_pem_chain(pem)?;
        match certificates.is_empty() {
            true => Err(TimestampError::Form("no certificate in PEM".to_owned())),
            false => Ok(Authority { certificates }),
        }
    }

    /// Whether `signer` is one of the certificates, or was issued, directly or through others that came with
    /// the answer, by one of them; all must have been valid at `time` (seconds since 1970-01-01 UTC).
    fn trusts(&self, signer: &Certificate, others: &[Certificate], time: u64) -> bool {
        let mut current = signer;
        for _ in 0..CHAIN_MAX {
            if !is_valid_at(current, time) {
                return false;
            }
            if self.certificates.contains(current) {
                return true;
            }
            let known = self.certificates.iter().chain(others);
            let mut issuers = known.filter(|it| is_issuer(it, current));
            match issuers.next() {
                Some(issuer) => current = issuer,
                None => return false,
            }
        }
        false
    }
}

fn is_valid_at(certificate: &Certificate, time: u64) -> bool {
    let validity = &certificate.tbs_certificate.validity;
    let seconds = |time: &x509_cert::time::Time| time.to_unix_duration().as_secs();
    seconds(&validity.not_before) <= time && time <= seconds(&validity.not_after)
}

fn is_issuer(issuer: &Certificate, of: &Certificate) -> bool {
    let tbs = &issuer.tbs_certificate;
    let may_issue =
        matches!(tbs.get::<BasicConstraints>(), Ok(Some((_, constraints))) if constraints.ca);
    if tbs.subject != of.tbs_certificate.issuer || !may_issue {
        return false;
    }
    let (Ok(message), Some(signature)) = (of.tbs_certificate.to_der(), of.signature.as_bytes())
    else {
        return false;
    };
    let key = &tbs.subject_public_key_info;
    is_signed(key, &of.signature_algorithm, None, &message, signature)
}

/// RFC 5652 SignedData whose certificates may stand in any order, as OpenSSL writes them.
#[derive(Sequence)]
struct SignedData {
    #[allow(dead_code)]
    version: CmsVersion,
    #[allow(dead_code)]
    digest_algorithms: SetOfVec<AlgorithmIdentifierOwned>,
    encap_content_info: EncapsulatedContentInfo,
    #[asn1(
        context_specific = "0",
        tag_mode = "IMPLICIT",
        constructed = "true",
        optional = "true"
    )]
    certificates: Option<Vec<Certificate>>,
    #[asn1(
        context_specific = "1",
        tag_mode = "IMPLICIT",
        constructed = "true",
        optional = "true"
    )]
    #[allow(dead_code)]
    crls: Option<Vec<Any>>,
    signer_infos: SignerInfos,
}

/// The question to an authority about `content`; its certificate is asked for, too.
pub fn query(content: &[u8]) -> Result<Vec<u8>, TimestampError> {
    let request = TimeStampReq {
        version: TspVersion::V1,
        message_imprint: MessageImprint {
            hash_algorithm: AlgorithmIdentifierOwned {
                oid: rfc5912::ID_SHA_256,
                parameters: Some(Any::null()),
            },
            hashed_message: OctetString::new(Sha256::digest(content).as_slice())?,
        },
        req_policy: None,
        nonce: None,
        cert_req: true,
        extensions: None,
    };
    Ok(request.to_der()?)
}

/// Reads an answer about `content`; with an authority given, its signature and certificate are judged, too.
pub fn read(
    answer: &[u8],
    content: &[u8],
    authority: Option<&Authority>,
) -> Result<Stamp, TimestampError> {
    if answer.len() > TOKEN_MAX_BYTES {
        return Err(TimestampError::Form("too long".to_owned()));
    }
    let response = TimeStampResp::from_der(answer)?;
    let Some(token) = response.time_stamp_token else {
        return Err(TimestampError::Refused(format!(
            "{:?}",
            response.status.status
        )));
    };
    let form = |problem: &str| TimestampError::Form(problem.to_owned());
    if token.content_type != rfc5911::ID_SIGNED_DATA {
        return Err(form("no signed data"));
    }
    let signed: SignedData = token.content.decode_as()?;
    let encapsulated = &signed.encap_content_info;
    let info = encapsulated
        .econtent
        .as_ref()
        .ok_or_else(|| form("no content"))?;
    if encapsulated.econtent_type != ID_CT_TST_INFO {
        return Err(form("not about a time"));
    }
    let info: OctetString = info.decode_as()?;
    let stamped = TstInfo::from_der(info.as_bytes())?;
    let imprint = &stamped.message_imprint;
    let hashed = hash(&imprint.hash_algorithm.oid, content);
    if hashed.as_deref() != Some(imprint.hashed_message.as_bytes()) {
        return Err(TimestampError::OtherContent);
    }
    let time = stamped.gen_time.to_unix_duration();
    if let Some(authority) = authority {
        check_signature(&signed, info.as_bytes(), authority, time.as_secs())?;
    }
    Ok(Stamp {
        time: time.as_millis() as u64,
    })
}

fn check_signature(
    signed: &SignedData,
    info: &[u8],
    authority: &Authority,
    time: u64,
) -> Result<(), TimestampError> {
    use TimestampError::Untrusted;
    let [signer] = signed.signer_infos.0.as_slice() else {
        return Err(Untrusted("it has not exactly one signature"));
    };
    let sent = signed.certificates.as_deref().unwrap_or_default();
    let mut known = sent.iter().chain(&authority.certificates);
    let certificate = known
        .find(|certificate| is_of(&signer.sid, certificate))
        .ok_or(Untrusted(
            "the certificate that it was signed with is missing",
        ))?;
    check_attributes(signer, info)?;
    let attributes = signer.signed_attrs.to_der()?;
    let right = is_signed(
        &certificate.tbs_certificate.subject_public_key_info,
        &signer.signature_algorithm,
        Some(&signer.digest_alg.oid),
        &attributes,
        signer.signature.as_bytes(),
    );
    if !right {
        return Err(Untrusted(
            "its signature is wrong, or of a kind that is not known here",
        ));
    }
    let usage = certificate.tbs_certificate.get::<ExtendedKeyUsage>();
    let stamps =
        matches!(usage, Ok(Some((_, usage))) if usage.0.contains(&rfc5912::ID_KP_TIME_STAMPING));
    if !stamps {
        return Err(Untrusted("its certificate is not for time-stamps"));
    }
    match authority.trusts(certificate, sent, time) {
        true => Ok(()),
        false => Err(Untrusted(
            "its certificate does not lead to the given ones, or was not valid",
        )),
    }
}

fn is_of(sid: &SignerIdentifier, certificate: &Certificate) -> bool {
    let tbs = &certificate.tbs_certificate;
    match sid {
        SignerIdentifier::IssuerAndSerialNumber(id) => {
            id.issuer == tbs.issuer && id.serial_number == tbs.serial_number
        }
        SignerIdentifier::SubjectKeyIdentifier(id) => {
            matches!(tbs.get::<x509_cert::ext::pkix::SubjectKeyIdentifier>(), Ok(Some((_, own))) if own == *id)
        }
    }
}

/// The signed attributes must say what was signed (RFC 5652, section 5.4).
fn check_attributes(signer: &SignerInfo, info: &[u8]) -> Result<(), TimestampError> {
    let wrong = || TimestampError::Untrusted("its signed attributes are of another content");
    let attributes = signer.signed_attrs.as_ref().ok_or_else(wrong)?;
    let value = |oid: &ObjectIdentifier| {
        let attribute = attributes.iter().find(|attribute| attribute.oid == *oid)?;
        attribute.values.get(0)
    };
    let kind = value(&rfc5911::ID_CONTENT_TYPE).ok_or_else(wrong)?;
    let digest = value(&rfc5911::ID_MESSAGE_DIGEST).ok_or_else(wrong)?;
    let kind: ObjectIdentifier = kind.decode_as()?;
    let digest: OctetString = digest.decode_as()?;
    let expected = hash(&signer.digest_alg.oid, info);
    match kind == ID_CT_TST_INFO && expected.as_deref() == Some(digest.as_bytes()) {
        true => Ok(()),
        false => Err(wrong()),
    }
}

fn hash(algorithm: &ObjectIdentifier, content: &[u8]) -> Option<Vec<u8>> {
    match *algorithm {
        rfc5912::ID_SHA_256 => Some(Sha256::digest(content).to_vec()),
        rfc5912::ID_SHA_384 => Some(Sha384::digest(content).to_vec()),
        rfc5912::ID_SHA_512 => Some(Sha512::digest(content).to_vec()),
        _ => None,
    }
}

/// Whether `signature` over `message` is by `key`: RSA (PKCS #1 v1.5) and ECDSA on P-256 and P-384, with SHA-2.
/// `digest` is the hash where the signature's own algorithm does not name one.
fn is_signed(
    key: &SubjectPublicKeyInfoOwned,
    algorithm: &AlgorithmIdentifierOwned,
    digest: Option<&ObjectIdentifier>,
    message: &[u8],
    signature: &[u8],
) -> bool {
    let digest = match algorithm.oid {
        rfc5912::SHA_256_WITH_RSA_ENCRYPTION | rfc5912::ECDSA_WITH_SHA_256 => rfc5912::ID_SHA_256,
        rfc5912::SHA_384_WITH_RSA_ENCRYPTION | rfc5912::ECDSA_WITH_SHA_384 => rfc5912::ID_SHA_384,
        rfc5912::SHA_512_WITH_RSA_ENCRYPTION | rfc5912::ECDSA_WITH_SHA_512 => rfc5912::ID_SHA_512,
        rfc5912::RSA_ENCRYPTION => match digest {
            Some(digest) => *digest,
            None => return false,
        },
        _ => return false,
    };
    let Some(hashed) = hash(&digest, message) else {
        return false;
    };
    let public = key.subject_public_key.raw_bytes();
    match key.algorithm.oid {
        rfc5912::RSA_ENCRYPTION => {
            use rsa::pkcs1::DecodeRsaPublicKey as _;
            let padding = match digest {
                rfc5912::ID_SHA_256 => rsa::Pkcs1v15Sign::new::<Sha256>(),
                rfc5912::ID_SHA_384 => rsa::Pkcs1v15Sign::new::<Sha384>(),
                _ => rsa::Pkcs1v15Sign::new::<Sha512>(),
            };
            rsa::RsaPublicKey::from_pkcs1_der(public)
                .is_ok_and(|key| key.verify(padding, &hashed, signature).is_ok())
        }
        rfc5912::ID_EC_PUBLIC_KEY => {
            let p256 = || {
                let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(public).ok()?;
                let signature = p256::ecdsa::Signature::from_der(signature).ok()?;
                key.verify_prehash(&hashed, &signature).ok()
            };
            let p384 = || {
                let key = p384::ecdsa::VerifyingKey::from_sec1_bytes(public).ok()?;
                let signature = p384::ecdsa::Signature::from_der(signature).ok()?;
                key.verify_prehash(&hashed, &signature).ok()
            };
            p256().or_else(p384).is_some()
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_query_is_what_openssl_writes() {
        // openssl ts -query -data abc.txt -sha256 -cert -no_nonce, of the three bytes abc.
        let query = query(b"abc").unwrap();
        let expected = "30390201013031300d060960864801650304020105000420\
            ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad0101ff";
        assert_eq!(vouchsafe_evidence::digest::to_hex(&query), expected);
    }

    proptest! {
        #[test]
        fn hostile_answers_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(read(&bytes, b"content", None).is_err());
        }
    }
}
