//! The client that the SDK's documentation shows.

use aws_sdk_connectcases::Client;
use lambda_runtime::Error;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let config = aws_config::load_from_env().await;
    bare::serve(Client::new(&config)).await
}
