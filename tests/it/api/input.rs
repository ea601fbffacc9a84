//! Input of every kind gets a clear answer (D1, D2, D13, D15).

use serde_json::{Value, json};

use super::{ADMIN, LONE, TEST_APP, client::Api};
use crate::support::database::TestDatabase;

const TOO_LONG: &str = "should be at most 255 character(s)";

web_test!(d1_values_that_cannot_be_stored_are_told_by_field);
async fn d1_values_that_cannot_be_stored_are_told_by_field(database: TestDatabase) {
    let api = Api::start(database.with_original_rows().await);
    let (long, nul) = ("ü".repeat(256), "a\u{0}b");
    for (organization, errors) in [
        (json!({"name": long}), json!({"name": [TOO_LONG]})),
        (json!({"name": "x", "slug": long}), json!({"slug": [TOO_LONG]})),
        (json!({"name": nul}), json!({"name": ["is invalid"]})),
        (json!({"name": "x", "slug": "acme-inc"}), json!({"slug": ["has already been taken"]})),
        (json!({"name": "Acme, Inc!"}), json!({"slug": ["has already been taken"]})),
        (json!({"name": "北京"}), json!({"slug": ["can't be blank"]})),
        (json!({"name": "x", "archived_at": "soon"}), json!({"archived_at": ["is invalid"]})),
    ] {
        let body = json!({ "organization": organization });
        let created = api.request(ADMIN, "POST", "/api/organizations", body.clone()).await;
        let nested = json!({"errors": {"organization": errors}});
        assert_eq!((created.status(), created.json()), (422, nested), "{organization}");
    }
    for (organization, errors) in [
        (json!({"name": long}), json!({"name": [TOO_LONG]})),
        (json!({"slug": "acme-inc"}), json!({"slug": ["has already been taken"]})),
        (json!({"name": null}), json!({"name": ["can't be blank"]})),
    ] {
        let updated = api.request(ADMIN, "PUT", "/api/organizations/2", json!({ "organization": organization })).await;
        assert_eq!((updated.status(), updated.json()), (422, json!({ "errors": errors })), "{organization}");
    }
}

web_test!(d1_applications_likewise);
async fn d1_applications_likewise(database: TestDatabase) {
    let api = Api::start(database.with_original_rows().await);
    let (path, long) = ("/api/organizations/1/applications", "x".repeat(256));
    for (application, errors) in [
        (json!({"name": long}), json!({"name": [TOO_LONG]})),
        (json!({"name": "x", "app_key": TEST_APP}), json!({"app_key": ["has already been taken"]})),
        (json!({"name": "x", "app_secret": 5}), json!({"app_secret": ["is invalid"]})),
    ] {
        let created = api.request(ADMIN, "POST", path, json!({ "application": application })).await;
        let nested = json!({"errors": {"application": errors}});
        assert_eq!((created.status(), created.json()), (422, nested), "{application}");
    }
    let body = json!({"application": {"app_key": TEST_APP}});
    let updated = api.request(ADMIN, "PUT", "/api/organizations/2/applications/2", body).await;
    assert_eq!((updated.status(), updated.json()), (422, json!({"errors": {"app_key": ["has already been taken"]}})));
}

web_test!(d1_a_parameter_of_the_wrong_kind_is_told);
async fn d1_a_parameter_of_the_wrong_kind_is_told(database: TestDatabase) {
    let api = Api::start(database.with_original_rows().await);
    for (body, status) in [
        (json!({}), 400),
        (json!({"organization": []}), 400),
        (json!({"organization": null}), 422),
        (json!({"organization": "x"}), 422),
        (json!({"organization": 5}), 422),
    ] {
        let answer = api.request(ADMIN, "POST", "/api/organizations", body.clone()).await;
        assert_eq!(answer.status(), status, "{body}");
    }
    for body in [json!({}), json!({"organization": []}), json!({"organization": null}), json!({"organization": "x"})] {
        let answer = api.request(ADMIN, "PUT", "/api/organizations/1", body.clone()).await;
        assert_eq!(answer.status(), 400, "{body}");
        assert!(answer.json()["errors"]["detail"].as_str().unwrap().contains("organization"), "{body}");
    }
}

web_test!(d1_ids_that_cannot_be_are_not_found);
async fn d1_ids_that_cannot_be_are_not_found(database: TestDatabase) {
    let api = Api::start(database.with_original_rows().await);
    for path in [
        "/api/organizations/99999999999999999999",
        "/api/organizations/-1",
        "/api/organizations/acme-inc/applications/99999999999999999999",
    ] {
        let answer = api.request(ADMIN, "GET", path, json!(null)).await;
        assert_eq!(answer.status(), 404, "{path}");
        assert!(answer.json()["errors"]["detail"].is_string(), "{path}");
    }
}

web_test!(d2_people_get_a_page_and_programs_json);
async fn d2_people_get_a_page_and_programs_json(database: TestDatabase) {
    let api = Api::start(database.with_original_rows().await);
    let answer = api.send("GET", "/api/organizations", &["accept: text/html"], json!(null)).await;
    assert_eq!((answer.status(), answer.header("content-type")), (406, Some("text/html; charset=utf-8")));
    let answer = api.send("GET", "/api/organizations", &["accept: application/xml"], json!(null)).await;
    assert_eq!((answer.status(), answer.header("content-type")), (406, Some("application/json; charset=utf-8")));
    assert!(answer.json()["errors"]["detail"].is_string());
}

web_test!(d13_an_organization_is_found_by_its_slug);
async fn d13_an_organization_is_found_by_its_slug(database: TestDatabase) {
    let api = Api::start(database.with_original_rows().await);
    let by_id = api.request(ADMIN, "GET", "/api/organizations/1", json!(null)).await.json();
    assert_eq!(api.request(ADMIN, "GET", "/api/organizations/acme-inc", json!(null)).await.json(), by_id);
    for slug in ["1abc", "new", "Acme-Inc"] {
        let answer = api.request(ADMIN, "GET", &format!("/api/organizations/{slug}"), json!(null)).await;
        assert_eq!(answer.status(), 404, "{slug}");
    }
}

web_test!(d15_times_are_in_utc);
async fn d15_times_are_in_utc(database: TestDatabase) {
    let api = Api::start(database.with_original_rows().await);
    let before = chrono::Utc::now().naive_utc();
    let archived = api.request(ADMIN, "DELETE", "/api/organizations/1/applications/1", json!(null)).await.json();
    let written = archived["data"]["archived_at"].as_str().unwrap();
    assert_eq!(written.len(), "2026-11-22T22:32:19".len());
    let at: chrono::NaiveDateTime = written.parse().unwrap();
    assert!((at - before).num_seconds().abs() < 60, "{at} is about {before}");
}

web_test!(who_creates_an_organization_owns_it_with_all_in_it);
async fn who_creates_an_organization_owns_it_with_all_in_it(database: TestDatabase) {
    let api = Api::start(database.with_original_rows().await);
    let body = json!({"organization": {"name": "Lone Örg"}});
    let created = api.request(LONE, "POST", "/api/organizations", body).await;
    let organization: Value = created.json()["data"].clone();
    let location = format!("/api/organizations/{}", organization["id"]);
    assert_eq!((created.status(), created.header("location")), (201, Some(location.as_str())));
    assert_eq!(organization["slug"], "lone-oerg");

    let path = format!("{location}/applications");
    let created = api.request(LONE, "POST", &path, json!({"application": {"name": "App"}})).await;
    let location = format!("{path}/{}", created.json()["data"]["id"]);
    assert_eq!((created.status(), created.header("location")), (201, Some(location.as_str())));
    let app_key = created.json()["data"]["app_key"].as_str().unwrap().to_owned();
    assert!(api.connect(&api.jwt(LONE), &app_key, "me").await.is_ok());
}
