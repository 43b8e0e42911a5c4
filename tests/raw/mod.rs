//! A QUIC peer that speaks no Fairway: writes what bytes it is told, and reads nothing by itself.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use quinn::crypto::rustls::QuicClientConfig;
use rustls::DigitallySignedStruct;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio::runtime::{Handle, Runtime};
use tokio::sync::{Mutex, oneshot};

/// Longer than anything takes.
const PATIENCE: Duration = Duration::from_secs(8);

/// A peer with an open connection.
pub(crate) struct Raw {
    /// SHA-256 of its public key, as a ticket names it.
    #[allow(dead_code, reason = "not every test books")]
    pub(crate) key: [u8; 32],
    runtime: Handle,
    connection: quinn::Connection,
    stream: Mutex<Option<quinn::SendStream>>,
    _endpoint: quinn::Endpoint,
    /// Ends the thread that keeps the connection alive between calls.
    _stop: oneshot::Sender<()>,
}

impl Raw {
    /// A peer that shows a key of its own.
    pub(crate) fn dial(addr: SocketAddr) -> Self {
        Self::dial_name(addr, "sea.fairway")
    }

    /// Likewise, asking for a server name.
    pub(crate) fn dial_name(addr: SocketAddr, name: &str) -> Self {
        let runtime = runtime();
        let (endpoint, connection, key) = runtime.block_on(async {
            let (endpoint, key) = endpoint(true);
            let connection = endpoint.connect(addr, name).unwrap().await.unwrap();
            (endpoint, connection, key)
        });
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel();
        std::thread::spawn(move || runtime.block_on(stopped));
        Self { key, runtime: handle, connection, stream: Mutex::default(), _endpoint: endpoint, _stop: stop }
    }

    /// Why a peer that shows no key is refused.
    pub(crate) fn dial_without_key(addr: SocketAddr) -> String {
        runtime().block_on(async {
            let connecting = endpoint(false).0.connect(addr, "sea.fairway").unwrap();
            // The client is done first; the server refuses what it then sees.
            match connecting.await {
                Ok(connection) => {
                    tokio::time::timeout(PATIENCE, connection.closed()).await.unwrap().to_string()
                }
                Err(error) => error.to_string(),
            }
        })
    }

    /// Whether a second connection may send before its handshake is done.
    pub(crate) fn resumes(addr: SocketAddr) -> bool {
        runtime().block_on(async {
            let (endpoint, _) = endpoint(true);
            let first = endpoint.connect(addr, "sea.fairway").unwrap().await.unwrap();
            // Time for session tickets to come.
            tokio::time::sleep(Duration::from_millis(100)).await;
            first.close(0_u32.into(), b"");
            endpoint.connect(addr, "sea.fairway").unwrap().into_0rtt().is_ok()
        })
    }

    /// Writes to the stream that it opens first.
    pub(crate) fn write(&self, bytes: &[u8]) {
        self.runtime.block_on(async {
            let mut stream = self.stream.lock().await;
            if stream.is_none() {
                *stream = Some(self.connection.open_uni().await.unwrap());
            }
            // The other side may close in the middle.
            let _ = stream.as_mut().unwrap().write_all(bytes).await;
        });
    }

    /// Ends the stream.
    pub(crate) fn finish(&self) {
        self.runtime.block_on(async { self.stream.lock().await.as_mut().unwrap().finish().unwrap() });
    }

    /// Sends a datagram.
    pub(crate) fn datagram(&self, bytes: &[u8]) {
        self.runtime.block_on(async {
            self.connection.send_datagram(bytes.to_vec().into()).unwrap();
            // Lets it go out.
            tokio::time::sleep(Duration::from_millis(5)).await;
        });
    }

    /// Waits until the other side has closed; its reason.
    pub(crate) fn close_reason(&self) -> String {
        self.runtime.block_on(async {
            tokio::time::timeout(PATIENCE, self.connection.closed()).await.unwrap().to_string()
        })
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// A QUIC endpoint, and the SHA-256 of the public key that it shows; zeros without one.
fn endpoint(with_key: bool) -> (quinn::Endpoint, [u8; 32]) {
    let mut shown = [0; 32];
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anyone));
    let mut tls = if with_key {
        let key = rcgen::KeyPair::generate().unwrap();
        shown = fairway::net::hash(&rcgen::PublicKeyData::subject_public_key_info(&key));
        let certificate = rcgen::CertificateParams::default().self_signed(&key).unwrap();
        let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        builder.with_client_auth_cert(vec![certificate.der().clone()], key).unwrap()
    } else {
        builder.with_no_client_auth()
    };
    tls.alpn_protocols = vec![b"fairway/1".to_vec()];
    tls.enable_early_data = true;
    let config = quinn::ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls).unwrap()));
    let mut endpoint = quinn::Endpoint::client("127.0.0.1:0".parse().unwrap()).unwrap();
    endpoint.set_default_client_config(config);
    (endpoint, shown)
}

#[derive(Debug)]
struct Anyone;

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        rustls::crypto::ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}
