// SPDX-License-Identifier: MIT
//! peer-axum PORT UPSTREAM stream|buffer - what penstock is measured beside: a service of axum and reqwest that takes a form and
//! posts the contents of all its fields, one behind the other, to the upstream. `stream` hands each chunk on as it comes, `buffer` has the
//! whole form in memory first. One thread, like the one worker of every other program of the bench.
use axum::{
    body::Bytes,
    extract::{multipart::MultipartError, DefaultBodyLimit, Multipart, State},
    http::StatusCode,
    routing::post,
    serve::ListenerExt,
    Router,
};
use futures_core::Stream;
use tokio::net::TcpSocket;

#[derive(Clone)]
struct Upstream {
    client: reqwest::Client,
    url: String,
}

type Answer = Result<StatusCode, (StatusCode, String)>;

fn bad_form(error: impl ToString) -> (StatusCode, String) {
    (StatusCode::BAD_REQUEST, error.to_string())
}

/// What the upstream says of the body is the answer; that nobody is there is 502.
async fn send(to: Upstream, body: reqwest::Body) -> Answer {
    match to.client.post(to.url).body(body).send().await {
        Ok(said) => Ok(said.status()),
        Err(error) => Err((StatusCode::BAD_GATEWAY, error.to_string())),
    }
}

/// An error in the form ends the stream with it, and so the request to the upstream.
fn contents(mut form: Multipart) -> impl Stream<Item = Result<Bytes, MultipartError>> {
    async_stream::try_stream! {
        while let Some(mut field) = form.next_field().await? {
            while let Some(chunk) = field.chunk().await? {
                yield chunk;
            }
        }
    }
}

async fn stream(State(to): State<Upstream>, form: Multipart) -> Answer {
    send(to, reqwest::Body::wrap_stream(contents(form))).await
}

async fn buffer(State(to): State<Upstream>, mut form: Multipart) -> Answer {
    let mut all = Vec::new();
    while let Some(field) = form.next_field().await.map_err(bad_form)? {
        all.extend_from_slice(&field.bytes().await.map_err(bad_form)?);
    }
    send(to, all.into()).await
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let args: Vec<String> = std::env::args().collect();
    let [_, port, upstream, how] = &args[..] else {
        panic!("peer-axum PORT UPSTREAM stream|buffer")
    };
    let handler = match how.as_str() {
        "stream" => post(stream),
        "buffer" => post(buffer),
        _ => panic!("stream or buffer"),
    };
    let to = Upstream {
        client: reqwest::Client::new(),
        url: format!("http://127.0.0.1:{upstream}/upload"),
    };
    let app = Router::new()
        .route("/upload", handler)
        .layer(DefaultBodyLimit::disable())
        .with_state(to);
    // The backlog is as long as that of the other programs: 128 would let a burst of clients overflow.
    let socket = TcpSocket::new_v4().expect("there is a descriptor");
    socket
        .bind(
            format!("127.0.0.1:{port}")
                .parse()
                .expect("PORT is a number"),
        )
        .expect("the port is free");
    let listener = socket.listen(4096).expect("it listens");
    // A listener that fails to set TCP_NODELAY is slower, and nothing else.
    let listener = listener.tap_io(|socket| drop(socket.set_nodelay(true)));
    axum::serve(listener, app).await.expect("axum serves");
}
