//! TLS 1.3 as circuits use it: both sides show a certificate and prove its key; no resumption, no 0-RTT.

use std::sync::{Arc, PoisonError, RwLock};

use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ResolvesClientCert, Resumption};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::{CertifiedKey, SigningKey};
use rustls::version::TLS13;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName, Error, ServerConfig,
    SignatureScheme,
};

use super::trust::{Identity, hash, key_of, signed_names};
use super::{Expect, NetError};

/// The application protocol that both sides must name.
pub(super) const ALPN: &[u8] = b"fairway/1";

/// What an endpoint shows of itself: its key with its current chain, under the names that it serves.
#[derive(Debug)]
pub(super) struct Shown {
    key: Arc<dyn SigningKey>,
    current: RwLock<Arc<CertifiedKey>>,
    /// Server names that are answered; empty for any.
    names: RwLock<Vec<String>>,
}

impl Shown {
    pub(super) fn new(identity: &Identity, names: Vec<String>) -> Result<Self, NetError> {
        let der = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(identity.pkcs8()));
        let key = rustls::crypto::ring::sign::any_ecdsa_type(&der)
            .map_err(|error| NetError(format!("cannot use the endpoint's key: {error}")))?;
        let current = RwLock::new(certified(&key, identity.chain.clone()));
        Ok(Self { key, current, names: RwLock::new(names) })
    }

    /// Shows another chain for the same key from now on.
    pub(super) fn enrol(&self, chain: Vec<Vec<u8>>) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = certified(&self.key, chain);
    }

    /// Answers to other names from now on.
    pub(super) fn serve(&self, names: Vec<String>) {
        *self.names.write().unwrap_or_else(PoisonError::into_inner) = names;
    }

    fn current(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn answers(&self, asked: Option<&str>) -> bool {
        let names = self.names.read().unwrap_or_else(PoisonError::into_inner);
        names.is_empty()
            || asked.is_some_and(|asked| names.iter().any(|name| name.eq_ignore_ascii_case(asked)))
    }
}

fn certified(key: &Arc<dyn SigningKey>, chain: Vec<Vec<u8>>) -> Arc<CertifiedKey> {
    let chain = chain.into_iter().map(CertificateDer::from).collect();
    Arc::new(CertifiedKey::new(chain, Arc::clone(key)))
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.answers(hello.server_name()).then(|| self.current())
    }
}

impl ResolvesClientCert for Shown {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(self.current())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// Lets in whoever proves the key of the certificate that it shows; who that is, is told afterwards.
#[derive(Debug)]
struct AnyKey(WebPkiSupportedAlgorithms);

impl ClientCertVerifier for AnyKey {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        key_of(leaf).map_err(|_| CertificateError::BadEncoding)?;
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("TLS 1.3 only".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, leaf, signature, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}

/// Holds the other end of a dialled circuit to what was expected of it.
#[derive(Debug)]
struct Expected {
    expect: Expect,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Expected {
    fn check(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), Error> {
        let key = key_of(leaf).map_err(|_| CertificateError::BadEncoding)?;
        match &self.expect {
            Expect::Anyone => Ok(()),
            Expect::Key(expected) if hash(&key) == *expected => Ok(()),
            Expect::Key(_) => Err(Error::General("it has another key than the one expected".to_owned())),
            Expect::Authority(authority) => {
                let names = signed_names(leaf, intermediates, authority, now).map_err(|error| {
                    Error::General(format!("the expected authority does not vouch for it: {error}"))
                })?;
                let asked = name.to_str();
                if names.iter().any(|name| name.eq_ignore_ascii_case(&asked)) {
                    Ok(())
                } else {
                    Err(Error::General(format!("it is {names:?}, not {asked}")))
                }
            }
        }
    }
}

impl ServerCertVerifier for Expected {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.check(leaf, intermediates, name, now).map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("TLS 1.3 only".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, leaf, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// TLS for circuits that others dial.
pub(super) fn server(shown: &Arc<Shown>) -> Result<QuicServerConfig, NetError> {
    let fault = |error: &dyn std::fmt::Display| NetError(format!("cannot set up TLS to serve: {error}"));
    let provider = provider();
    let any_key = AnyKey(provider.signature_verification_algorithms);
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])
        .map_err(|error| fault(&error))?
        .with_client_cert_verifier(Arc::new(any_key))
        .with_cert_resolver(Arc::clone(shown) as Arc<dyn ResolvesServerCert>);
    config.alpn_protocols = vec![ALPN.to_vec()];
    config.max_early_data_size = 0;
    config.send_tls13_tickets = 0;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    QuicServerConfig::try_from(config).map_err(|error| fault(&error))
}

/// TLS for one circuit that this endpoint dials.
pub(super) fn client(shown: &Arc<Shown>, expect: Expect) -> Result<QuicClientConfig, NetError> {
    let fault = |error: &dyn std::fmt::Display| NetError(format!("cannot set up TLS to dial: {error}"));
    let provider = provider();
    let expected = Expected { expect, algorithms: provider.signature_verification_algorithms };
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])
        .map_err(|error| fault(&error))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(expected))
        .with_client_cert_resolver(Arc::clone(shown) as Arc<dyn ResolvesClientCert>);
    config.alpn_protocols = vec![ALPN.to_vec()];
    config.enable_early_data = false;
    config.resumption = Resumption::disabled();
    QuicClientConfig::try_from(config).map_err(|error| fault(&error))
}
