//! The simulation itself: it repeats, it can fail, and a person can read it.

#![expect(clippy::expect_used, reason = "a test ends by panicking")]

use std::time::Duration;

use simulate::assumptions::Broken;
use simulate::faults::Fault;
use simulate::report::{Counts, FailedSeed, Row, Run, Summary};
use simulate::verdict::{Breach, BreachKind, Twins, Verdict};
use simulate::{Mode, Releases, Throughput};

fn releases() -> Releases {
    Releases::load().expect("mapping and snapshot are valid")
}

const PLAIN: Mode = Mode {
    ledger: false,
    broken: None,
    backlog: None,
};

const LEDGER: Mode = Mode {
    ledger: true,
    ..PLAIN
};

fn broken(mode: Mode, broken: Broken) -> Mode {
    Mode {
        broken: Some(broken),
        ..mode
    }
}

fn run(seed: u64, mode: Mode) -> Run {
    simulate::run(seed, &releases(), mode).expect("the world can be made")
}

fn summary(seeds: std::ops::Range<u64>, mode: Mode) -> Summary {
    let mut summary = Summary::new(seeds.start, mode);
    for seed in seeds {
        summary.add(&run(seed, mode));
    }
    summary
}

#[test]
fn a_seed_always_gives_the_same_world() {
    for (seed, mode) in (0..6).flat_map(|seed| [(seed, PLAIN), (seed, LEDGER)]) {
        let (one, other) = (run(seed, mode), run(seed, mode));
        assert_eq!(one.schedule, other.schedule, "seed {seed}");
        assert_eq!(one.trace, other.trace, "seed {seed}");
    }
}

#[test]
fn seeds_give_different_worlds() {
    assert_ne!(run(1, PLAIN).trace, run(2, PLAIN).trace);
}

#[test]
fn every_promise_is_kept() {
    let summary = summary(0..40, PLAIN);
    assert!(summary.holds(), "{:#?}", summary.failed);
}

/// The worlds have every fault, crashes, and every edge that schedules aim at.
#[test]
fn the_worlds_have_everything_that_can_go_wrong() {
    let summary = summary(0..60, LEDGER);
    let counts = &summary.counts;
    assert_eq!(counts.faults.len(), Fault::ALL.len());
    for (what, times) in [
        ("crashes", counts.crashes),
        ("keys that can have no case", counts.poison),
        ("windows", counts.windows),
        ("FIFO queues", counts.fifo),
        ("worlds that go on without the ledger", counts.proceed),
        ("clocks that differ", counts.clocks),
        ("aims", counts.aimed),
    ] {
        assert!(times > 0, "no {what}");
    }
}

#[test]
fn every_promise_is_kept_with_a_ledger() {
    let summary = summary(0..40, LEDGER);
    assert!(summary.holds(), "{:#?}", summary.failed);
}

/// The tests of the test: without an assumption behind the promise, it must find the doubles.
#[test]
fn a_random_token_makes_duplicates_that_are_found() {
    let summary = summary(0..20, broken(PLAIN, Broken::RandomToken));
    assert!(summary.count(Row::Duplicates) > 0, "{summary:#?}");
}

#[test]
fn a_token_that_is_forgotten_makes_duplicates_that_are_found() {
    let summary = summary(0..20, broken(PLAIN, Broken::TokenForgotten));
    assert!(summary.count(Row::Duplicates) > 0, "{summary:#?}");
}

#[test]
fn a_ledger_without_its_condition_makes_duplicates_that_are_found() {
    let summary = summary(0..20, broken(LEDGER, Broken::NoCondition));
    assert!(summary.count(Row::Duplicates) > 0, "{summary:#?}");
}

/// Each assumption behind the promise counts: without it something is there twice, lost or untrue.
#[test]
fn every_assumption_that_is_broken_is_missed() {
    for (assumption, seeds) in [
        (Broken::SearchLags, 0..60),
        (Broken::SearchForgets, 60..120),
        (Broken::ItemsLag, 0..60),
        (Broken::ProfilesLag, 0..60),
        (Broken::LateRequests, 0..120),
        (Broken::ClocksApart, 0..120),
    ] {
        let summary = summary(seeds, broken(LEDGER, assumption));
        assert!(!summary.holds(), "nobody misses {}", assumption.name());
    }
}

/// Every event has its case once, none is a dead letter, and nine tenths of the quota are used.
#[test]
fn a_backlog_is_worked_off_at_the_pace_of_the_quota() {
    for mode in [PLAIN, LEDGER] {
        let backlog = Some(500);
        let summary = summary(1..2, Mode { backlog, ..mode });
        assert!(summary.holds(), "{:#?}", summary.failed);
        assert_eq!(summary.counts.cases, 500);
        assert!(summary.backlog.is_some_and(|it| it.quota_used >= 0.9));
    }
}

/// Side by side, messages of a FIFO queue overtake each other, and that is found.
#[test]
fn messages_that_overtake_each_other_are_found() {
    let summary = summary(150..175, broken(LEDGER, Broken::UnmarkedFifo));
    assert!(summary.count(Row::Overtaken) > 0, "{summary:#?}");
}

/// Without the guard the function feeds itself, and that is found.
#[test]
fn events_of_our_own_that_nobody_can_tell_make_a_loop_that_is_found() {
    let summary = summary(0..12, broken(PLAIN, Broken::NoPerformer));
    assert!(summary.count(Row::Loops) > 0, "{summary:#?}");
}

fn counts() -> Counts {
    Counts {
        keys: 1_750,
        poison: 88,
        invocations: 9_204,
        crashes: 1_207,
        repeated: 4_410,
        environments: 2_046,
        requests: 31_337,
        faults: [(Fault::Throttled, 812), (Fault::CutAfter, 790)].into(),
        cases: 1_662,
        windows: 164,
        fifo: 171,
        proceed: 61,
        clocks: 249,
        aimed: 158,
        fed_back: 1_012,
    }
}

#[test]
fn the_summary_reads_well() {
    let summary = Summary {
        seeds: 500,
        counts: counts(),
        twins: Twins {
            links: 31,
            comments: 29,
            profiles: 4,
        },
        ..Summary::new(0, PLAIN)
    };
    insta::assert_snapshot!(summary.render(Duration::from_millis(8_130)));
}

#[test]
fn the_summary_is_data_too() {
    let breach = Breach {
        kind: BreachKind::Duplicate,
        what: "K1 has 2 cases: a, b".to_owned(),
    };
    let summary = Summary {
        seeds: 1,
        counts: counts(),
        breaches: [(Row::Duplicates, 1), (Row::Lost, 0)].into(),
        backlog: Some(Throughput {
            backlog_seconds: 2627,
            quota_used: 0.948,
        }),
        failed: vec![FailedSeed {
            seed: 7,
            breaches: vec![breach],
        }],
        ..Summary::new(7, broken(LEDGER, Broken::TokenForgotten))
    };
    let json = serde_json::to_string_pretty(&summary).expect("it is data");
    insta::assert_snapshot!(json);
}

#[test]
fn the_summary_names_every_seed_with_a_breach() {
    let failed = |seed| FailedSeed {
        seed,
        breaches: Vec::new(),
    };
    let summary = Summary {
        failed: [2974, 3411, 7120].map(failed).to_vec(),
        ..Summary::new(0, LEDGER)
    };
    let text = summary.render(Duration::ZERO);
    assert!(text.ends_with("\nalso broken    3411, 7120\n"), "{text}");
}

#[test]
fn a_breach_comes_with_all_that_it_takes_to_see_it_again() {
    let breach = Breach {
        kind: BreachKind::Duplicate,
        what: "K1 has 2 cases: a, b".to_owned(),
    };
    let run = Run {
        seed: 4711,
        schedule: "K1   event, by order\n00:01.000  EventBridge invokes with K1\n".to_owned(),
        trace: "00:01.000  #0   K1 begins, in environment 1\n".to_owned(),
        counts: Counts::default(),
        verdict: Verdict {
            breaches: vec![breach],
            ..Verdict::default()
        },
        backlog: None,
    };
    insta::assert_snapshot!(run.render(broken(LEDGER, Broken::TokenForgotten)));
}
