// Tests of events as lines of JSON: nothing is lost on the way there and back, and bad lines are named.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "engine_fixture.hpp"
#include "exchange/base64.hpp"
#include "exchange/event_line.hpp"
#include "exchange/import.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using namespace freshet::tests;
using exchange::Format;

namespace {

ExportedEvent sample(const std::string& data, const std::string& content_type = "application/json") {
  ExportedEvent exported;
  exported.event = {.position = Position{7},
                    .version = Version{3},
                    .stream = {"order", "12/3 \"ü\""},
                    .type = "OrderPaid",
                    .data = data,
                    .content_type = content_type,
                    .metadata = R"({"by":"ada"})",
                    .occurred_at = Timestamp{1'506'941'793'000'001us},
                    .recorded_at = Timestamp{1'506'941'794'000'000us},
                    .append_end = Position{7}};
  exported.command_id = "key \n 1";
  exported.outcome = "paid";
  exported.identity = CommandIdentity("pay").add(7).kept();
  return exported;
}

ExportedEvent parsed(const std::string& line) {
  auto result = exchange::parse_line(line);
  const auto* why = std::get_if<std::string>(&result);
  INFO(line);
  REQUIRE_MESSAGE(why == nullptr, (why == nullptr ? "" : *why));
  return std::get<ExportedEvent>(result);
}

std::string problem(const std::string& line) {
  const auto result = exchange::parse_line(line);
  REQUIRE(std::holds_alternative<std::string>(result));
  return std::get<std::string>(result);
}

void check_round_trip(const ExportedEvent& before) {
  for (const Format format : {Format::json_lines, Format::cloud_events}) {
    const std::string line = exchange::render_line(before, format, exchange::default_source);
    CHECK(line.find('\n') == std::string::npos);
    const ExportedEvent after = parsed(line);
    CHECK(after.event.position == before.event.position);
    CHECK(after.event.version == before.event.version);
    CHECK((after.event.stream == before.event.stream));
    CHECK(after.event.type == before.event.type);
    CHECK(after.event.schema_version == before.event.schema_version);
    CHECK(after.event.data == before.event.data);
    CHECK(after.event.content_type == before.event.content_type);
    CHECK(after.event.metadata == before.event.metadata);
    CHECK((after.event.occurred_at == before.event.occurred_at));
    CHECK((after.event.recorded_at == before.event.recorded_at));
    CHECK((after.event.correlation == before.event.correlation));
    CHECK(after.event.append_end == before.event.append_end);
    CHECK((after.command_id == before.command_id));
    CHECK(after.outcome == before.outcome);
    CHECK(after.identity == before.identity);
    CHECK(exchange::render_line(after, format, exchange::default_source) == line);
  }
}

std::string json_line(const std::string& data) {
  return exchange::render_line(sample(data), Format::json_lines, "");
}

// The lines of a log of `count` events.
std::string lines_of(std::size_t count) {
  const TempDir directory;
  Store store(stepped(directory.file()));
  append_many(store, "a", count);
  std::string lines;
  store.log().export_events([&](const ExportedEvent& exported) {
    lines += exchange::render_line(exported, Format::json_lines, "") + "\n";
    return true;
  });
  return lines;
}

exchange::Imported import(Store& store, const std::string& text) {
  std::istringstream lines(text);
  return exchange::import_events(store.log(), lines, {});
}

// An append in which each text is as long as it may be, of letters that take a line as much room as they can.
struct Largest {
  explicit Largest(char letter) {
    const auto text = [letter](std::size_t bytes) { return std::string(bytes, letter); };
    request.stream = {text(stream_part_bytes_max), text(stream_part_bytes_max)};
    event.type = text(event_type_bytes_max);
    request.command_id = text(command_id_bytes_max);
    request.identity = CommandIdentity(text(command_name_bytes_max));
    request.outcome = text(outcome_bytes_max);
    request.correlation = Correlation{text(correlation_id_bytes_max), text(correlation_id_bytes_max)};
  }

  AppendResult append_to(Store& store) {
    request.events = {&event, 1};
    return store.log().append(request);
  }

  Append request{.stream = {}, .expected = ExpectedVersion::any(), .events = {}};
  NewEvent event{.type = "", .data = "{}"};
};

std::string exported_lines(Store& store, Format format) {
  std::string lines;
  store.log().export_events([&](const ExportedEvent& exported) {
    lines += exchange::render_line(exported, format, exchange::default_source) + "\n";
    return true;
  });
  return lines;
}

// Whatever was accepted comes back.
void check_comes_back(Store& store) {
  for (const Format format : {Format::json_lines, Format::cloud_events}) {
    const std::string lines = exported_lines(store, format);
    const TempDir directory;
    Store copy(idle(directory.file()));
    const auto imported = import(copy, lines);
    CHECK_FALSE(imported.refusal.has_value());
    CHECK((exported_lines(copy, format) == lines));
  }
}

}  // namespace

TEST_SUITE("exchange") {
  TEST_CASE("bounds: whatever an append accepts at them comes back from an export") {
    for (const char letter : {'a', '"', '\\', '\x01'}) {
      CAPTURE(static_cast<int>(letter));
      const TempDir directory;
      Store store(idle(directory.file()));
      Largest largest(letter);
      CHECK(std::holds_alternative<Appended>(largest.append_to(store)));
      largest.request.command_id = "another";
      largest.event.content_type = std::string(content_type_bytes_max, letter);
      largest.event.data = std::string(1'000, '\xff');
      CHECK(std::holds_alternative<Appended>(largest.append_to(store)));
      check_comes_back(store);
    }
  }

  TEST_CASE("bounds: the largest event of all comes back from an export") {
    const TempDir directory;
    Store store(idle(directory.file()));
    Largest largest('\x01');
    largest.event.content_type = std::string(content_type_bytes_max, '\x01');
    largest.event.data = std::string(event_data_bytes_max, '\xff');
    // Each letter of it takes two in a text.
    largest.event.metadata = R"([")" + std::string(event_data_bytes_max - 4, '\\') + R"("])";
    CHECK(std::holds_alternative<Appended>(largest.append_to(store)));
    check_comes_back(store);
  }

  TEST_CASE("bounds: one byte more is refused") {
    const TempDir directory;
    Store store(idle(directory.file()));
    const auto code = [&](auto change) {
      Largest largest('a');
      change(largest);
      return error_of([&] { static_cast<void>(largest.append_to(store)); });
    };
    CHECK(code([](Largest& largest) { largest.request.outcome += 'a'; }) == ErrorCode::invalid);
    CHECK(code([](Largest& largest) { largest.event.type += 'a'; }) == ErrorCode::invalid);
    CHECK(code([](Largest& largest) { *largest.request.command_id += 'a'; }) == ErrorCode::invalid);
    CHECK(code([](Largest& largest) { largest.request.stream.id += 'a'; }) == ErrorCode::invalid);
    CHECK(code([](Largest& largest) { largest.event.content_type = std::string(content_type_bytes_max + 1, 'a'); }) ==
          ErrorCode::invalid);
    CHECK(store.log().head() == Position{});
  }

  TEST_CASE("nesting: JSON of any depth comes back") {
    for (const int depth : {exchange::nesting_max - 2, exchange::nesting_max - 1, exchange::nesting_max,
                            exchange::nesting_max + 1, exchange::nesting_max + 2}) {
      CAPTURE(depth);
      const auto levels = static_cast<std::size_t>(depth);
      check_round_trip(sample(std::string(levels, '[') + std::string(levels, ']')));
    }
  }

  TEST_CASE("base64: what is encoded is decoded, and nothing else is taken") {
    for (const auto& [bytes, text] : {std::pair{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foobar", "Zm9vYmFy"}}) {
      CHECK(exchange::encode_base64(bytes) == text);
      CHECK(exchange::decode_base64(text) == bytes);
    }
    for (const char* text : {"Z", "Zg", "Zg=", "Zh==", "Z===", "====", "Zm9=", "Zm 8", "Z=g="}) {
      INFO(text);
      CHECK_FALSE(exchange::decode_base64(text).has_value());
    }
  }

  TEST_CASE("render_line: JSON that would be written the same stands as it is") {
    CHECK(holds(json_line(R"({"b":1,"a":[null,"ü"]})"), R"("data":{"b":1,"a":[null,"ü"]})"));
    check_round_trip(sample(R"({"b":1,"a":[null,"ü"]})"));
    check_round_trip(sample("null"));
    check_round_trip(sample("18446744073709551615"));
  }

  TEST_CASE("render_line: the form of the data is told where it is not the first one") {
    ExportedEvent newer = sample("1");
    CHECK_FALSE(holds(json_line("1"), "schema_version"));
    newer.event.schema_version = 3;
    check_round_trip(newer);
  }

  TEST_CASE("render_line: JSON that would be written differently keeps its bytes") {
    for (const char* data : {R"({"a": 1})", R"({"a":1,"a":2})", "1e2", "1.0000000000000000000001", "1e999", "", "no"}) {
      INFO(data);
      CHECK(holds(json_line(data), "\"data_base64\""));
      check_round_trip(sample(data));
    }
  }

  TEST_CASE("render_line: bytes of any content type are the same afterwards") {
    std::string bytes;
    for (int byte = 0; byte < 256; ++byte) bytes += static_cast<char>(byte);
    check_round_trip(sample(bytes, "image/png"));
    check_round_trip(sample("", "text/plain"));
  }

  TEST_CASE("render_line: metadata are the same afterwards, JSON or not") {
    for (const char* metadata : {"", "null", "{ }", "no JSON\n"}) {
      ExportedEvent exported = sample("{}");
      exported.event.metadata = metadata;
      exported.command_id = std::nullopt;
      exported.outcome.clear();
      check_round_trip(exported);
    }
  }

  TEST_CASE("render_line: the ids of a correlation come back, whatever the metadata name") {
    const Correlation ids{"click 7", "order/1@3"};
    const std::string same = R"({"correlation_id":"click 7","causation_id":"order/1@3"})";
    const std::string others = R"({"correlation_id":"a","causation_id":"b"})";
    for (const std::string& metadata : {std::string{}, same, others, std::string("no JSON")}) {
      for (const auto& correlation : {std::optional<Correlation>{}, std::optional{ids}}) {
        INFO(metadata);
        ExportedEvent exported = sample("{}");
        exported.event.metadata = metadata;
        exported.event.correlation = correlation;
        check_round_trip(exported);
      }
    }
  }

  TEST_CASE("render_line: ids that the metadata name already are not written once more") {
    ExportedEvent exported = sample("{}");
    exported.event.metadata = R"({"correlation_id":"a","causation_id":"b"})";
    exported.event.correlation = {"a", "b"};
    const auto has_member = [&] {
      return nlohmann::json::parse(exchange::render_line(exported, Format::json_lines, "")).contains("correlation_id");
    };
    CHECK_FALSE(has_member());
    exported.event.metadata.clear();
    CHECK(has_member());
  }

  TEST_CASE("render_line: the end of an append comes back") {
    ExportedEvent exported = sample("{}");
    exported.event.append_end = Position{9};
    check_round_trip(exported);
  }

  TEST_CASE("parse_line: the ids of a correlation are both there, or neither, and are texts") {
    const auto with = [](const std::string& members) {
      std::string line = json_line("{}");
      return line.insert(1, members + ",");
    };
    CHECK(holds(problem(with(R"("correlation_id":"a")")), "and not the other"));
    CHECK(holds(problem(with(R"("causation_id":"a","correlation_id":null)")), "and not the other"));
    CHECK(holds(problem(with(R"("causation_id":1,"correlation_id":2)")), "is no text"));
    CHECK_FALSE(parsed(with(R"("correlation_id":null,"causation_id":null)")).event.correlation.has_value());
  }

  TEST_CASE("render_line: deeply nested JSON goes there and back, and does not exhaust the stack") {
    check_round_trip(sample(std::string(1'000'000, '[') + std::string(1'000'000, ']')));
  }

  TEST_CASE("render_line: a CloudEvent has what the standard requires, and extensions by its rules") {
    const auto line = nlohmann::json::parse(exchange::render_line(sample("{}"), Format::cloud_events, "/shop"));
    CHECK(line["specversion"] == "1.0");
    CHECK(line["id"] == "7");
    CHECK(line["source"] == "/shop");
    CHECK(line["type"] == "OrderPaid");
    CHECK(line["subject"] == "order/12/3 \"ü\"");
    CHECK(line["time"] == "2017-10-02T10:56:33.000001Z");
    CHECK(line["datacontenttype"] == "application/json");
    for (const auto& [name, value] : line.items()) {
      INFO(name);
      const bool is_lower = name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789") == std::string::npos;
      CHECK((is_lower || name == "data_base64"));
      CHECK(name.size() <= 20);
      CHECK((value.is_string() || name == "data"));
    }
  }

  TEST_CASE("parse_line: a CloudEvent of another maker may carry text") {
    auto line = nlohmann::json::parse(exchange::render_line(sample("x", "text/plain"), Format::cloud_events, "/"));
    line.erase("data_base64");
    line["data"] = "hello";
    line["unknown"] = 1;
    CHECK(parsed(line.dump()).event.data == "hello");
  }

  TEST_CASE("parse_line: says what is wrong with a line") {
    CHECK(problem("{") == "no valid JSON object");
    CHECK(problem("[]") == "no valid JSON object");
    CHECK(problem(std::string(100'000, '[')) == "no valid JSON object");
    CHECK(problem("{}") == "there is no position");
    CHECK(problem(R"({"specversion":"0.3"})") == "specversion is not 1.0");
    auto line = nlohmann::json::parse(json_line("{}"));
    const auto with = [&line](const char* field, const nlohmann::json& value) {
      auto changed = line;
      changed[field] = value;
      return problem(changed.dump());
    };
    CHECK(with("position", 0) == "position is no whole number from 1");
    CHECK(with("position", 18446744073709551615U) == "position is no whole number from 1");
    CHECK(with("version", 1.5) == "version is no whole number from 1");
    CHECK(with("stream", "123") == "stream is no CATEGORY/ID");
    CHECK(with("recorded_at", "yesterday") == "recorded_at is no time such as 2017-10-02T10:56:33Z");
    CHECK(with("type", 1) == "type is no text");
    CHECK(with("data_base64", "Zg==") == "there are both data and data_base64");
    CHECK(with("content_type", "text/plain") == "data is no text, and its content type is not JSON");
  }

  TEST_CASE("import_events: goes batch by batch, and again it appends nothing") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    const std::string lines = lines_of(2'500);
    const auto imported = import(store, lines);
    CHECK(imported.lines == 2'500);
    CHECK(imported.applied == 2'500);
    CHECK_FALSE(imported.refusal.has_value());
    CHECK(import(store, lines).applied == 0);
    CHECK(import(store, lines).lines == 2'500);
  }

  TEST_CASE("import_events: a bad line undoes its batch and no other, and is named") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    const std::string lines = lines_of(1'500);
    const auto imported = import(store, lines + "\n \r\n{\n");
    REQUIRE(imported.refusal.has_value());
    CHECK(imported.refusal->line == 1'503);
    CHECK((imported.refusal->kind == exchange::Refusal::Kind::malformed));
    CHECK(imported.lines == 1'000);
    CHECK(store.log().head() == Position{1'000});
    CHECK(import(store, lines).applied == 500);
  }

  TEST_CASE("import_events: a line that does not fit is told from one that is no event") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    std::string lines = lines_of(3);
    lines.erase(0, lines.find('\n') + 1);
    const auto imported = import(store, lines);
    REQUIRE(imported.refusal.has_value());
    CHECK(imported.refusal->line == 1);
    CHECK((imported.refusal->kind == exchange::Refusal::Kind::misfit));
    CHECK(holds(imported.refusal->why, "position 2 does not follow position 0"));
    CHECK(store.log().head() == Position{0});
  }

  TEST_CASE("import_events: a line longer than any event is refused") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    const auto imported = import(store, std::string(exchange::line_bytes_max + 1, ' ') + "\n");
    REQUIRE(imported.refusal.has_value());
    CHECK(holds(imported.refusal->why, "longer than"));
  }
}
