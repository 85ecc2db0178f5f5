// Runs as the demonstrations make them, and measurements, for the tests of the pages.
#pragma once

#include <cmath>
#include <string>

#include "measure/measure.hpp"
#include "scenario/timeline.hpp"

namespace freshet::tests {

using scenario::Actor;
using scenario::Kind;
using scenario::Occurrence;

// A name that would break out of every place it could stand in, if it were written as it is.
inline const std::string hostile = "</script><b>\"'&";

inline Duration ms(double milliseconds) {
  return Duration{static_cast<std::int64_t>(milliseconds * 1'000.0 + 0.5)};
}

// About the order 123 at a version.
inline Occurrence seen(double at, Actor actor, Kind kind, std::string what, std::int64_t version) {
  return {.at = ms(at), .actor = actor, .kind = kind, .what = std::move(what), .order_id = "123", .version = {version}};
}

inline Occurrence of_client(std::string client, Occurrence occurrence) {
  occurrence.client = std::move(client);
  return occurrence;
}

inline Occurrence stale(Occurrence occurrence) {
  occurrence.stale = true;
  return occurrence;
}

inline Occurrence attempt(int number, Occurrence occurrence) {
  occurrence.attempt = number;
  return occurrence;
}

// One window of 50.11 ms, one stale read in it and one fresh read after it.
inline scenario::Report staleness_run() {
  using enum Actor;
  using enum Kind;
  scenario::Report report;
  report.name = "staleness";
  report.point = "Between the commit and the update of the read model, a reader sees the past.";
  report.timeline = {
      seen(0, write_side, appended, "OrderShipped appended to event store (order 123, version 3)", 3),
      seen(0.05, client, succeeded, "success: order 123, version 3", 3),
      stale(seen(1.1, client, read, "get 123 -> paid, version 2", 2)),
      seen(50.02, bus, delivered, "OrderShipped delivered to listener", 3),
      seen(50.11, read_model, applied, "order 123 updated to version 3", 3),
      seen(50.3, client, read, "get 123 -> shipped, version 3", 3),
  };
  report.windows = {{"123", {3}, ms(0), ms(50.11)}};
  return report;
}

// Two clients, three windows of which the last stays open, duplicates, and a crash before the offsets are committed.
inline scenario::Report crash_run() {
  using enum Actor;
  using enum Kind;
  scenario::Report report;
  report.name = "crash";
  report.seed = 7;
  report.clock = scenario::ClockKind::virtual_;
  report.point = "What a crash brings again is skipped, because the checkpoint was committed with the rows.";
  report.timeline = {
      {.at = ms(0), .kind = said, .what = "alice writes, bob reads"},
      seen(0, write_side, appended, "OrderCreated appended to event store (order 123, version 1)", 1),
      of_client("alice", seen(0.04, client, succeeded, "success: order 123, version 1", 1)),
      of_client("bob", stale(seen(0.2, client, read, "get 123 -> not there yet", 0))),
      seen(10, write_side, appended, "OrderPaid appended to event store (order 123, version 2)", 2),
      of_client("alice", seen(10.04, client, succeeded, "success: order 123, version 2", 2)),
      seen(20, bus, delivered, "OrderCreated delivered to listener", 1),
      seen(20.06, read_model, applied, "order 123 updated to version 1", 1),
      of_client("bob", stale(seen(21, client, read, "get 123 -> created, version 1", 1))),
      seen(30, bus, delivered, "OrderPaid delivered to listener", 2),
      seen(30.07, read_model, applied, "order 123 updated to version 2", 2),
      seen(30.1, listener, crashed, "crashed before its offsets were committed", 0),
      of_client("alice", seen(31, client, refused, "ship 123: version conflict", 0)),
      seen(45, listener, restarted, "restarted from its last committed offset", 0),
      attempt(2, seen(45.2, bus, delivered, "OrderCreated delivered to listener", 1)),
      seen(45.25, listener, skipped, "OrderCreated skipped, a duplicate", 1),
      attempt(2, seen(45.4, bus, delivered, "OrderPaid delivered to listener", 2)),
      seen(45.45, listener, skipped, "OrderPaid skipped, a duplicate", 2),
      seen(45.6, listener, committed, "offsets committed", 0),
      of_client("bob", seen(46, client, read, "get 123 -> paid, version 2", 2)),
      seen(60, write_side, appended, "OrderShipped appended to event store (order 123, version 3)", 3),
      of_client("alice", seen(60.05, client, succeeded, "success: order 123, version 3", 3)),
      of_client("bob", stale(seen(61, client, read, "get 123 -> paid, version 2", 2))),
  };
  report.windows = {{"123", {1}, ms(0), ms(20.06)}, {"123", {2}, ms(10), ms(30.07)}, {"123", {3}, ms(60)}};
  return report;
}

// Every text of it is hostile.
inline scenario::Report hostile_run() {
  scenario::Report report = crash_run();
  report.name = report.point = report.failure = hostile;
  report.passed = false;
  for (Occurrence& occurrence : report.timeline) {
    occurrence.order_id = occurrence.what = hostile;
    if (occurrence.actor == Actor::client) occurrence.client = hostile;
    if (occurrence.actor != Actor::client && occurrence.actor != Actor::write_side) occurrence.model = hostile;
  }
  for (scenario::Window& window : report.windows) window.order_id = hostile;
  return report;
}

// An upsert on the right, an addition on the left: a listener of the script's own, and everything twice.
inline scenario::Report two_models_run(int events) {
  using enum Actor;
  using enum Kind;
  scenario::Report report;
  report.name = "idempotency";
  report.point = "The same deliveries: the addition counts the duplicate, the upsert does not.";
  for (int event = 1; event <= events; ++event) {
    const double at = event * 0.4;
    report.timeline.push_back(seen(at, write_side, appended, "OrderPaid appended to event store", event));
    for (const int number : {1, 2}) {
      const double delivery = at + 0.05 * number;
      report.timeline.push_back(
          attempt(number, seen(delivery, bus, delivered, "OrderPaid delivered to adding", event)));
      report.timeline.back().model = "adding";
      report.timeline.push_back(
          attempt(number, seen(delivery, bus, delivered, "OrderPaid delivered to listener", event)));
      report.timeline.push_back(seen(delivery, read_model, applied, "revenue 49.99 more", event));
      report.timeline.back().model = "adding";
      report.timeline.push_back(number == 1 ? seen(delivery, read_model, applied, "order 123 updated", event)
                                            : seen(delivery, listener, skipped, "a duplicate", event));
    }
  }
  return report;
}

// A fixed delay of 50 ms, and an engine that needs a little more.
inline measure::Visibility fixed_delay_visibility() {
  measure::Visibility visibility{.writes = 200, .delay = "fixed(50ms)", .p50 = ms(50.12), .p90 = ms(50.31)};
  visibility.p99 = ms(51.4);
  visibility.max = ms(53.2);
  visibility.delay_p50 = visibility.delay_p90 = visibility.delay_p99 = ms(50);
  for (int step = 0; step < measure::curve_points; ++step) {
    const double at = 102.8 * step / (measure::curve_points - 1);
    visibility.curve.push_back({ms(at), at < 50 ? 0 : at < 51.4 ? 0.95 : at < 53.2 ? 0.99 : 1, at < 50 ? 0.0 : 1.0});
  }
  return visibility;
}

// Most of the time is the delay's, and one write came very late.
inline measure::Visibility drawn_delay_visibility() {
  measure::Visibility visibility{.writes = 1'000, .delay = "exponential(10ms)", .p50 = ms(8.13), .p90 = ms(24.23)};
  visibility.p99 = ms(47.25);
  visibility.max = ms(412);
  visibility.delay_p50 = ms(6.93);
  visibility.delay_p90 = ms(23.03);
  visibility.delay_p99 = ms(46.05);
  for (int step = 0; step < measure::curve_points; ++step) {
    const double at = 97.0 * step / (measure::curve_points - 1);
    visibility.curve.push_back({ms(at), at < 1.2 ? 0 : 1 - std::exp((1.2 - at) / 10), 1 - std::exp(-at / 10)});
  }
  visibility.curve.push_back({ms(412), 1, 1});
  return visibility;
}

inline measure::Throughput six_rows() {
  using enum Durability;
  return {{{power_loss, 1, 2'000, 7'431, ms(0.12), ms(0.41)},
           {power_loss, 8, 2'000, 31'870, ms(0.22), ms(0.62)},
           {power_loss, 64, 2'000, 88'213, ms(0.63), ms(2.01)},
           {process_crash, 1, 2'000, 38'204, ms(0.02), ms(0.06)},
           {process_crash, 8, 2'000, 96'117, ms(0.07), ms(0.21)},
           {process_crash, 64, 2'000, 141'902, ms(0.4), ms(1.2)}},
          {500, 8'310, ms(0.11), ms(0.3)}};
}

}  // namespace freshet::tests
