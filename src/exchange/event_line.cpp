// The two formats, field by field.
#include "exchange/event_line.hpp"

#include <charconv>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>

#include "base/time_text.hpp"
#include "exchange/base64.hpp"

namespace freshet::exchange {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* json_content_type = "application/json";

// A line is no event; what() says why.
class BadLine : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Nothing for what is no JSON, or is nested so deep that writing it again could exhaust the stack.
std::optional<Json> parse_json(std::string_view text, int depth_max) {
  bool is_too_deep = false;
  const auto watch = [&](int depth, Json::parse_event_t, Json&) {
    is_too_deep = is_too_deep || depth > depth_max;
    return !is_too_deep;
  };
  Json parsed = Json::parse(text, watch, false);
  if (is_too_deep || parsed.is_discarded()) return std::nullopt;
  return parsed;
}

// The JSON that gives the same text when it is written. It stands inside the line's object, so it may be one level less
// deep than a line.
std::optional<Json> same_json(const std::string& text) {
  auto parsed = parse_json(text, nesting_max - 1);
  return parsed && parsed->dump() == text ? parsed : std::nullopt;
}

// What metadata name as the ids of a correlation, as the log takes them of files that have no others: both are texts
// within the bounds.
std::optional<Correlation> correlation_named_in(const std::string& metadata) {
  if (metadata.empty()) return std::nullopt;
  // What is nested in its members is passed over, however deep it goes.
  const Json object = Json::parse(metadata, [](int depth, Json::parse_event_t, Json&) { return depth <= 1; }, false);
  if (!object.is_object()) return std::nullopt;
  const auto id = [&](const char* name) {
    const auto found = object.find(name);
    std::string text = found != object.end() && found->is_string() ? found->get<std::string>() : "";
    return text.size() <= correlation_id_bytes_max ? text : "";
  };
  Correlation named{id("correlation_id"), id("causation_id")};
  if (named.correlation_id.empty() || named.causation_id.empty()) return std::nullopt;
  return named;
}

// Nothing where the metadata name the same, as events of older formats have it.
void put_correlation(Json& line, const RecordedEvent& event, const char* correlation_id, const char* causation_id) {
  if (event.correlation == correlation_named_in(event.metadata)) return;
  line[correlation_id] = event.correlation ? Json(event.correlation->correlation_id) : Json(nullptr);
  line[causation_id] = event.correlation ? Json(event.correlation->causation_id) : Json(nullptr);
}

void put_data(Json& line, const RecordedEvent& event) {
  auto json = event.content_type == json_content_type ? same_json(event.data) : std::nullopt;
  if (json) {
    line["data"] = *std::move(json);
  } else {
    line["data_base64"] = encode_base64(event.data);
  }
}

// Thirty-two hexadecimal digits.
std::string render_digest(const KeptIdentity& identity) {
  std::string digits;
  for (const char byte : identity.arguments) {
    for (const unsigned shift : {4U, 0U})
      digits += "0123456789abcdef"[(static_cast<unsigned char>(byte) >> shift) & 15U];
  }
  return digits;
}

void put_identity(Json& line, const std::optional<KeptIdentity>& identity, const char* name, const char* arguments) {
  if (!identity) return;
  if (!identity->name.empty()) line[name] = identity->name;
  line[arguments] = render_digest(*identity);
}

std::optional<KeptIdentity> parse_digest(std::string_view digits) {
  KeptIdentity identity;
  if (digits.size() != 2 * identity.arguments.size()) return std::nullopt;
  for (char& byte : identity.arguments) {
    unsigned char value = 0;
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + 2, value, 16);
    if (failure != std::errc{} || end != digits.data() + 2) return std::nullopt;
    byte = static_cast<char>(value);
    digits.remove_prefix(2);
  }
  return identity;
}

Json json_line(const ExportedEvent& exported) {
  const RecordedEvent& event = exported.event;
  Json line{{"position", event.position.value},
            {"stream", event.stream.category + "/" + event.stream.id},
            {"version", event.version.value},
            {"type", event.type},
            {"occurred_at", format_timestamp(event.occurred_at)},
            {"recorded_at", format_timestamp(event.recorded_at)}};
  if (event.schema_version != 1) line["schema_version"] = event.schema_version;
  if (event.content_type != json_content_type) line["content_type"] = event.content_type;
  put_data(line, event);
  // A field that is null counts as absent when it is read.
  if (auto metadata = same_json(event.metadata); metadata && !metadata->is_null()) {
    line["metadata"] = *std::move(metadata);
  } else if (!event.metadata.empty()) {
    line["metadata_base64"] = encode_base64(event.metadata);
  }
  put_correlation(line, event, "correlation_id", "causation_id");
  if (event.append_end != event.position) line["append_end"] = event.append_end.value;
  if (exported.command_id) line["idempotency_key"] = *exported.command_id;
  put_identity(line, exported.identity, "idempotency_command", "idempotency_arguments");
  if (!exported.outcome.empty()) line["idempotency_outcome"] = exported.outcome;
  return line;
}

Json cloud_event(const ExportedEvent& exported, const std::string& source) {
  const RecordedEvent& event = exported.event;
  Json line{{"specversion", "1.0"},
            {"id", std::to_string(event.position.value)},
            {"source", source},
            {"type", event.type},
            {"subject", event.stream.category + "/" + event.stream.id},
            {"time", format_timestamp(event.occurred_at)},
            {"streamversion", std::to_string(event.version.value)},
            {"recordedat", format_timestamp(event.recorded_at)},
            {"datacontenttype", event.content_type}};
  if (event.schema_version != 1) line["schemaversion"] = std::to_string(event.schema_version);
  if (same_json(event.metadata)) {
    line["metadata"] = event.metadata;
  } else if (!event.metadata.empty()) {
    line["metadatabase64"] = encode_base64(event.metadata);
  }
  put_correlation(line, event, "correlationid", "causationid");
  if (event.append_end != event.position) line["appendend"] = std::to_string(event.append_end.value);
  if (exported.command_id) line["idempotencykey"] = *exported.command_id;
  put_identity(line, exported.identity, "idempotencycommand", "idempotencyarguments");
  if (!exported.outcome.empty()) line["idempotencyoutcome"] = exported.outcome;
  put_data(line, event);
  return line;
}

// The fields of a line, each of which is what it should be or a BadLine.
class Fields {
 public:
  explicit Fields(const Json& line) : line_(line) {}

  [[nodiscard]] const Json* find(const char* name) const {
    const auto found = line_.find(name);
    return found == line_.end() || found->is_null() ? nullptr : &*found;
  }

  [[nodiscard]] std::optional<std::string> optional_text(const char* name) const {
    const Json* field = find(name);
    if (field == nullptr) return std::nullopt;
    if (!field->is_string()) throw BadLine(std::string(name) + " is no text");
    return field->get<std::string>();
  }

  [[nodiscard]] std::string text(const char* name) const {
    auto value = optional_text(name);
    if (!value) throw BadLine(std::string("there is no ") + name);
    return *std::move(value);
  }

  // A number from 1, or its digits as a text.
  [[nodiscard]] std::int64_t count(const char* name) const {
    const Json* field = find(name);
    if (field == nullptr) throw BadLine(std::string("there is no ") + name);
    std::int64_t value = 0;
    if (field->is_number_integer()) {
      value = field->is_number_unsigned() && field->get<std::uint64_t>() > INT64_MAX ? 0 : field->get<std::int64_t>();
    } else if (field->is_string()) {
      const auto& digits = field->get_ref<const std::string&>();
      const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
      if (failure != std::errc{} || end != digits.data() + digits.size()) value = 0;
    }
    if (value < 1) throw BadLine(std::string(name) + " is no whole number from 1");
    return value;
  }

  // Where the line names neither, what the metadata name counts.
  [[nodiscard]] std::optional<Correlation> correlation(const char* correlation_id, const char* causation_id,
                                                       const std::string& metadata) const {
    if (!line_.contains(correlation_id) && !line_.contains(causation_id)) return correlation_named_in(metadata);
    auto correlation = optional_text(correlation_id);
    auto causation = optional_text(causation_id);
    if (correlation.has_value() != causation.has_value()) {
      throw BadLine(std::string("there is one of ") + correlation_id + " and " + causation_id + ", and not the other");
    }
    if (!correlation) return std::nullopt;
    return Correlation{*std::move(correlation), *std::move(causation)};
  }

  // The event's own position where the line does not say.
  [[nodiscard]] Position append_end(const char* name, Position own) const {
    return find(name) == nullptr ? own : Position{count(name)};
  }

  // 1 where the line does not say.
  [[nodiscard]] int schema_version(const char* name) const {
    if (find(name) == nullptr) return 1;
    const std::int64_t version = count(name);
    if (version > std::numeric_limits<int>::max()) throw BadLine(std::string(name) + " is too large");
    return static_cast<int>(version);
  }

  [[nodiscard]] Timestamp time(const char* name) const {
    const auto time = parse_timestamp(text(name));
    if (!time) throw BadLine(std::string(name) + " is no time such as 2017-10-02T10:56:33Z");
    return *time;
  }

  [[nodiscard]] StreamId stream(const char* name) const {
    const std::string whole = text(name);
    const auto slash = whole.find('/');
    if (slash == std::string::npos) throw BadLine(std::string(name) + " is no CATEGORY/ID");
    return {whole.substr(0, slash), whole.substr(slash + 1)};
  }

  [[nodiscard]] std::optional<std::string> bytes(const char* name) const {
    const auto text = optional_text(name);
    if (!text) return std::nullopt;
    auto bytes = decode_base64(*text);
    if (!bytes) throw BadLine(std::string(name) + " is no Base64");
    return bytes;
  }

  // Nothing where the line has no digest: it is from a file of format 3.
  [[nodiscard]] std::optional<KeptIdentity> identity(const char* name, const char* arguments) const {
    const auto digits = optional_text(arguments);
    if (!digits) return std::nullopt;
    auto identity = parse_digest(*digits);
    if (!identity) throw BadLine(std::string(arguments) + " is no 32 hexadecimal digits");
    identity->name = optional_text(name).value_or("");
    return identity;
  }

  [[nodiscard]] std::string data(const std::string& content_type) const {
    const auto encoded = bytes("data_base64");
    const Json* data = find("data");
    // As JSON, null is data as good as any.
    if (data == nullptr && content_type == json_content_type && line_.contains("data")) data = &line_["data"];
    if (encoded && data != nullptr) throw BadLine("there are both data and data_base64");
    if (data == nullptr) return encoded.value_or("");
    if (content_type == json_content_type) return data->dump();
    if (!data->is_string()) throw BadLine("data is no text, and its content type is not JSON");
    return data->get<std::string>();
  }

 private:
  const Json& line_;
};

ExportedEvent read_json_line(const Fields& fields) {
  ExportedEvent exported;
  RecordedEvent& event = exported.event;
  event.position = Position{fields.count("position")};
  event.stream = fields.stream("stream");
  event.version = Version{fields.count("version")};
  event.type = fields.text("type");
  event.schema_version = fields.schema_version("schema_version");
  event.occurred_at = fields.time("occurred_at");
  event.recorded_at = fields.time("recorded_at");
  event.content_type = fields.optional_text("content_type").value_or(json_content_type);
  event.data = fields.data(event.content_type);
  const Json* metadata = fields.find("metadata");
  event.metadata = metadata != nullptr ? metadata->dump() : fields.bytes("metadata_base64").value_or("");
  event.correlation = fields.correlation("correlation_id", "causation_id", event.metadata);
  event.append_end = fields.append_end("append_end", event.position);
  exported.command_id = fields.optional_text("idempotency_key");
  exported.identity = fields.identity("idempotency_command", "idempotency_arguments");
  exported.outcome = fields.optional_text("idempotency_outcome").value_or("");
  return exported;
}

ExportedEvent read_cloud_event(const Fields& fields) {
  if (fields.text("specversion") != "1.0") throw BadLine("specversion is not 1.0");
  ExportedEvent exported;
  RecordedEvent& event = exported.event;
  event.position = Position{fields.count("id")};
  event.stream = fields.stream("subject");
  event.version = Version{fields.count("streamversion")};
  event.type = fields.text("type");
  event.schema_version = fields.schema_version("schemaversion");
  event.occurred_at = fields.time("time");
  event.recorded_at = fields.time("recordedat");
  event.content_type = fields.optional_text("datacontenttype").value_or(json_content_type);
  event.data = fields.data(event.content_type);
  const auto metadata = fields.optional_text("metadata");
  event.metadata = metadata ? *metadata : fields.bytes("metadatabase64").value_or("");
  event.correlation = fields.correlation("correlationid", "causationid", event.metadata);
  event.append_end = fields.append_end("appendend", event.position);
  exported.command_id = fields.optional_text("idempotencykey");
  exported.identity = fields.identity("idempotencycommand", "idempotencyarguments");
  exported.outcome = fields.optional_text("idempotencyoutcome").value_or("");
  return exported;
}

}  // namespace

std::string render_line(const ExportedEvent& exported, Format format, const std::string& source) {
  return (format == Format::json_lines ? json_line(exported) : cloud_event(exported, source)).dump();
}

std::variant<ExportedEvent, std::string> parse_line(std::string_view line) {
  const auto parsed = parse_json(line, nesting_max);
  if (!parsed || !parsed->is_object()) return "no valid JSON object";
  try {
    const Fields fields(*parsed);
    return parsed->contains("specversion") ? read_cloud_event(fields) : read_json_line(fields);
  } catch (const BadLine& bad) {
    return bad.what();
  }
}

}  // namespace freshet::exchange
