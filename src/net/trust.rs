//! Keys and certificates: who an endpoint is, and who may say so.
//!
//! Every process makes its own key and shows a certificate that it signed itself. The harbour's authority
//! signs that key for a name; from then on the process shows the authority's certificate. Roles are told
//! from names, and only the authority's signature makes a name count: [`HARBOUR_NAME`] is the harbour, any
//! other name a region.

use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PublicKeyData, SignatureAlgorithm,
};
use ring::digest::{SHA256, digest};
use rustls::pki_types::{CertificateDer, UnixTime};
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};

use super::{NetError, Peer};
use crate::clock;
use crate::units::VesselId;
use crate::wire::{AuthorityKey, Rights, Ticket, TicketKey};

/// The name in the harbour's certificate; no region may have it.
pub const HARBOUR_NAME: &str = "harbour.fairway";
/// Days that a certificate lasts at most: browsers accept WebTransport certificates by their hash alone
/// when they last at most two weeks (W3C WebTransport, `serverCertificateHashes`).
pub const CERTIFICATE_DAYS: u32 = 14;
/// Seconds that a certificate is valid before it was made: clocks of two machines may differ that much.
const CLOCK_SKEW_S: u64 = 3600;
/// What comes before the 65 bytes of an uncompressed point in the SubjectPublicKeyInfo of a P-256 key
/// (RFC 5480): algorithm id-ecPublicKey, curve secp256r1, bit string.
const P256_SPKI_HEAD: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
/// Bytes of an uncompressed point on P-256.
const P256_POINT_BYTES: usize = 65;

/// A key, and the certificate chain that shows it.
#[derive(Debug)]
pub struct Identity {
    pub(super) key: KeyPair,
    pub(super) chain: Vec<Vec<u8>>,
}

impl Identity {
    /// A new key with a certificate that it signs itself.
    ///
    /// # Errors
    /// When the machine has no randomness.
    pub fn generate() -> Result<Self, NetError> {
        Self::self_signed(new_key()?)
    }

    /// The identity of a key in PKCS #8 (DER) that [`Self::pkcs8`] returned once.
    ///
    /// # Errors
    /// When it is no key for ECDSA on P-256.
    pub fn from_pkcs8(pkcs8: &[u8]) -> Result<Self, NetError> {
        Self::self_signed(read_key(pkcs8)?)
    }

    fn self_signed(key: KeyPair) -> Result<Self, NetError> {
        // Nobody relies on the dates of a certificate that only proves a key.
        let certificate = CertificateParams::new(Vec::new())
            .and_then(|params| params.self_signed(&key))
            .map_err(|error| NetError(format!("cannot sign a certificate: {error}")))?;
        Ok(Self { key, chain: vec![certificate.der().to_vec()] })
    }

    /// The same key, shown with a chain (DER, leaf first) that an authority signed for it.
    #[must_use]
    pub fn with_chain(mut self, chain: Vec<Vec<u8>>) -> Self {
        self.chain = chain;
        self
    }

    /// SHA-256 of its public key (SubjectPublicKeyInfo, DER): how others know it.
    #[must_use]
    pub fn key_hash(&self) -> [u8; 32] {
        hash(&self.public_key())
    }

    /// Its public key: SubjectPublicKeyInfo, DER.
    #[must_use]
    pub fn public_key(&self) -> Vec<u8> {
        self.key.subject_public_key_info()
    }

    /// Its private key in PKCS #8 (DER), to be kept where nobody else can read it.
    #[must_use]
    pub fn pkcs8(&self) -> Vec<u8> {
        self.key.serialize_der()
    }
}

/// The harbour's authority: signs who is a region, who is the harbour, and tickets.
#[derive(Debug)]
pub struct Authority {
    course: String,
    key: KeyPair,
    params: CertificateParams,
    certificate: Vec<u8>,
    tickets: TicketKey,
}

impl Authority {
    /// An authority with a new key; the course is the one that its tickets name.
    ///
    /// # Errors
    /// When the machine has no randomness.
    pub fn generate(course: &str) -> Result<Self, NetError> {
        Self::of_key(course, new_key()?)
    }

    /// The authority of a key in PKCS #8 (DER) that [`Self::pkcs8`] returned once: what it signed before
    /// stays signed, though the bytes of its own certificate differ.
    ///
    /// # Errors
    /// When it is no key for ECDSA on P-256.
    pub fn from_pkcs8(course: &str, pkcs8: &[u8]) -> Result<Self, NetError> {
        Self::of_key(course, read_key(pkcs8)?)
    }

    fn of_key(course: &str, key: KeyPair) -> Result<Self, NetError> {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "fairway authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let certificate = params
            .self_signed(&key)
            .map_err(|error| NetError(format!("cannot sign the authority's certificate: {error}")))?
            .der()
            .to_vec();
        let tickets = TicketKey::from_pkcs8(key.serialized_der())
            .map_err(|error| NetError(format!("cannot sign tickets: {error}")))?;
        Ok(Self { course: course.to_owned(), key, params, certificate, tickets })
    }

    /// Its own certificate (DER): what others must have to trust what it signs.
    #[must_use]
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// Its private key in PKCS #8 (DER), to be kept where nobody else can read it.
    #[must_use]
    pub fn pkcs8(&self) -> Vec<u8> {
        self.key.serialize_der()
    }

    /// The key that its tickets are verified with.
    #[must_use]
    pub fn key(&self) -> AuthorityKey {
        self.tickets.public()
    }

    /// A certificate chain (DER, leaf first) that makes a key a region under the names it serves, the first
    /// of which is the one it is known by. `public_key` is the SubjectPublicKeyInfo (DER) that the region
    /// proved, as [`super::Endpoint::peer_key`] returns it; `days` at most [`CERTIFICATE_DAYS`].
    ///
    /// # Errors
    /// When the key is not on P-256, when there is no name, or one of them is the harbour's or no DNS name.
    pub fn sign_region(
        &self,
        public_key: &[u8],
        names: &[&str],
        days: u32,
    ) -> Result<Vec<Vec<u8>>, NetError> {
        if names.is_empty() || names.iter().any(|name| name.eq_ignore_ascii_case(HARBOUR_NAME)) {
            return Err(NetError(format!("cannot sign a region for the names {names:?}: give it its own")));
        }
        self.sign(public_key, names, days)
    }

    /// A certificate chain (DER, leaf first) that makes a key the harbour.
    ///
    /// # Errors
    /// When the key is not on P-256.
    pub fn sign_harbour(&self, public_key: &[u8], days: u32) -> Result<Vec<Vec<u8>>, NetError> {
        self.sign(public_key, &[HARBOUR_NAME], days)
    }

    /// The harbour's own identity: a new key, signed for [`CERTIFICATE_DAYS`].
    ///
    /// # Errors
    /// When the machine has no randomness.
    pub fn harbour_identity(&self) -> Result<Identity, NetError> {
        let identity = Identity::generate()?;
        let chain = self.sign_harbour(&identity.public_key(), CERTIFICATE_DAYS)?;
        Ok(identity.with_chain(chain))
    }

    fn sign(&self, public_key: &[u8], names: &[&str], days: u32) -> Result<Vec<Vec<u8>>, NetError> {
        let refuse = |error: rcgen::Error| NetError(format!("cannot sign for the names {names:?}: {error}"));
        let names_owned: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let mut params = CertificateParams::new(names_owned).map_err(refuse)?;
        params.distinguished_name = DistinguishedName::new();
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let now_s = clock::unix_s();
        let days = days.min(CERTIFICATE_DAYS);
        let start_s = now_s.saturating_sub(CLOCK_SKEW_S);
        // The skew is taken off the end, so that the whole never lasts longer than browsers allow.
        let epoch = rcgen::date_time_ymd(1970, 1, 1);
        params.not_before = epoch + Duration::from_secs(start_s);
        params.not_after = epoch + Duration::from_secs(start_s + u64::from(days) * 86_400);
        let issuer = Issuer::from_params(&self.params, &self.key);
        let leaf = params.signed_by(&PublicPoint::of(public_key)?, &issuer).map_err(refuse)?;
        Ok(vec![leaf.der().to_vec()])
    }

    /// A signed ticket for a vessel of this course. `key` is the SHA-256 of the client's public key.
    ///
    /// # Errors
    /// When the course's name makes it too long, or the machine has no randomness.
    pub fn ticket(
        &self,
        vessel: VesselId,
        rights: Rights,
        expires_unix_s: u64,
        key: [u8; 32],
    ) -> Result<Vec<u8>, NetError> {
        Ticket { course: self.course.clone(), vessel, rights, expires_unix_s, key }
            .sign(&self.tickets)
            .map_err(|error| NetError(format!("cannot sign a ticket for vessel {}: {error}", vessel.0)))
    }
}

/// The key that verifies tickets, out of the authority's certificate (DER).
///
/// # Errors
/// When it is no certificate, or its key is not on P-256.
pub fn authority_key(certificate: &[u8]) -> Result<AuthorityKey, NetError> {
    Ok(AuthorityKey(PublicPoint::of(&key_of(certificate)?)?.0))
}

/// The SHA-256 of a public key (SubjectPublicKeyInfo, DER).
#[must_use]
pub fn hash(public_key: &[u8]) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest(&SHA256, public_key).as_ref());
    bytes
}

/// The public key (SubjectPublicKeyInfo, DER) in a certificate (DER).
pub(super) fn key_of(certificate: &[u8]) -> Result<Vec<u8>, NetError> {
    let der = CertificateDer::from(certificate);
    let certificate = EndEntityCert::try_from(&der)
        .map_err(|error| NetError(format!("the certificate cannot be read: {error}")))?;
    Ok(certificate.subject_public_key_info().to_vec())
}

/// Who shows this chain, given that TLS has proved the key of its leaf.
///
/// Without an authority, or where its signature is missing or has expired, anyone is a client.
pub(super) fn peer_of(chain: &[CertificateDer<'_>], authority: Option<&[u8]>) -> Result<Peer, NetError> {
    let [leaf, intermediates @ ..] = chain else {
        return Err(NetError("the peer showed no certificate".to_owned()));
    };
    let client = Peer::Client(hash(&key_of(leaf)?));
    let Some(authority) = authority else { return Ok(client) };
    let now = UnixTime::since_unix_epoch(Duration::from_secs(clock::unix_s()));
    Ok(match signed_names(leaf, intermediates, authority, now) {
        Ok(names) if names.iter().any(|name| name.eq_ignore_ascii_case(HARBOUR_NAME)) => Peer::Harbour,
        Ok(names) => names.into_iter().next().map_or(client, Peer::Region),
        Err(_) => client,
    })
}

/// The names in a certificate, when the authority signed it and it is valid now.
pub(super) fn signed_names(
    leaf: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
    authority: &[u8],
    now: UnixTime,
) -> Result<Vec<String>, webpki::Error> {
    let authority = CertificateDer::from(authority);
    let anchors = [anchor_from_trusted_cert(&authority)?];
    let leaf = EndEntityCert::try_from(leaf)?;
    let algorithms = rustls::crypto::ring::default_provider().signature_verification_algorithms;
    // Ours carry both usages, so asking for one is asking for either.
    leaf.verify_for_usage(algorithms.all, &anchors, intermediates, now, KeyUsage::server_auth(), None, None)?;
    Ok(leaf.valid_dns_names().map(str::to_owned).collect())
}

/// A public key on P-256, as certificates are signed for: the uncompressed point.
struct PublicPoint(Vec<u8>);

impl PublicPoint {
    fn of(public_key: &[u8]) -> Result<Self, NetError> {
        match public_key.strip_prefix(&P256_SPKI_HEAD) {
            Some(point) if point.len() == P256_POINT_BYTES => Ok(Self(point.to_vec())),
            _ => Err(NetError("the key is not ECDSA on P-256: make one with Identity::generate".to_owned())),
        }
    }
}

impl PublicKeyData for PublicPoint {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ECDSA_P256_SHA256
    }
}

fn new_key() -> Result<KeyPair, NetError> {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)
        .map_err(|error| NetError(format!("cannot make a key: {error}")))
}

fn read_key(pkcs8: &[u8]) -> Result<KeyPair, NetError> {
    KeyPair::from_pkcs8_der_and_sign_algo(&pkcs8.into(), &PKCS_ECDSA_P256_SHA256)
        .map_err(|error| NetError(format!("cannot use the key, want PKCS #8 with ECDSA on P-256: {error}")))
}
