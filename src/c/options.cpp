// The options of a store, and projections whose rules are functions of another language.
#include <memory>
#include <utility>

#include "base/ensure.hpp"
#include "bus/delay.hpp"
#include "c/guard.hpp"
#include "c/handles.hpp"

namespace freshet::c {
namespace {

class CallbackProjection final : public Projection {
 public:
  explicit CallbackProjection(const freshet_projection& rules)
      : name_(rules.name), tables_(names_of(rules.tables, rules.tables_count)), rules_(rules) {}

  [[nodiscard]] std::string_view name() const override { return name_; }
  [[nodiscard]] int schema_version() const override { return rules_.schema_version; }
  [[nodiscard]] std::vector<std::string> tables() const override { return tables_; }

  void create(Tables& tables) const override {
    call([&](freshet_tables& handle, freshet_error& error) { return rules_.create(rules_.context, &handle, &error); },
         tables);
  }

  void apply(const RecordedEvent& event, Tables& tables) const override {
    const freshet_event shown = event_of(event);
    const auto run = [&](freshet_tables& handle, freshet_error& error) {
      return rules_.apply(rules_.context, &shown, &handle, &error);
    };
    call(run, tables);
  }

 private:
  template <typename Run>
  static void call(const Run& run, Tables& tables) {
    freshet_tables handle{tables};
    freshet_error error{};
    error.code = run(handle, error);
    if (error.code != FRESHET_OK) raise(error);
  }

  std::string name_;
  std::vector<std::string> tables_;
  freshet_projection rules_;
};

}  // namespace
}  // namespace freshet::c

using freshet::ensure;
using freshet::c::given;
using freshet::c::sure;

freshet_options* freshet_options_new(const char* file) {
  ensure(file != nullptr, "a store has a file");
  return new freshet_options{{.file = file}};
}

void freshet_options_free(freshet_options* options) {
  delete options;
}

void freshet_options_set_mode(freshet_options* options, freshet_mode mode) {
  using freshet::OpenMode;
  ensure(mode == FRESHET_CREATE || mode == FRESHET_EXISTING || mode == FRESHET_READ_ONLY_MODE,
         "a mode is one of those named");
  sure(options).options.mode = mode == FRESHET_CREATE     ? OpenMode::create
                               : mode == FRESHET_EXISTING ? OpenMode::existing
                                                          : OpenMode::read_only;
}

void freshet_options_set_upgrade(freshet_options* options, freshet_upgrade upgrade) {
  using freshet::Upgrade;
  ensure(upgrade == FRESHET_UPGRADE_COPY || upgrade == FRESHET_UPGRADE_NO_COPY || upgrade == FRESHET_UPGRADE_NEVER,
         "what to do with an older file is one of those named");
  sure(options).options.upgrade = upgrade == FRESHET_UPGRADE_COPY      ? Upgrade::copy
                                  : upgrade == FRESHET_UPGRADE_NO_COPY ? Upgrade::no_copy
                                                                       : Upgrade::never;
}

void freshet_options_set_durability(freshet_options* options, freshet_durability durability) {
  using freshet::Durability;
  ensure(durability == FRESHET_PROCESS_CRASH || durability == FRESHET_POWER_LOSS, "a durability is one of those named");
  sure(options).options.durability =
      durability == FRESHET_PROCESS_CRASH ? Durability::process_crash : Durability::power_loss;
}

void freshet_options_set_busy_timeout(freshet_options* options, int64_t microseconds) {
  ensure(microseconds >= 0, "a timeout is not negative");
  sure(options).options.busy_timeout = freshet::Duration{microseconds};
}

void freshet_options_set_projecting(freshet_options* options, bool projecting) {
  sure(options).options.engine = projecting ? freshet::Engine::threads : freshet::Engine::off;
}

freshet_code freshet_options_set_bus(freshet_options* options, const char* delay, double duplicate_probability,
                                     uint64_t seed, freshet_error* error) {
  return freshet::c::guarded(error, [&] {
    const auto parsed = freshet::parse_delay(freshet::c::given_text(delay));
    if (!parsed) return freshet::c::report(error, FRESHET_INVALID, "not a delay, such as 50ms or exponential(5ms)");
    if (!(duplicate_probability >= 0.0 && duplicate_probability <= 1.0)) {
      return freshet::c::report(error, FRESHET_INVALID, "a probability is from 0 to 1");
    }
    freshet::BusOptions& bus = given(options).options.bus;
    bus.delay = *parsed;
    bus.duplicate_probability = duplicate_probability;
    bus.seed = seed;
    return FRESHET_OK;
  });
}

void freshet_options_add_projection(freshet_options* options, const freshet_projection* projection) {
  ensure(projection != nullptr && projection->name != nullptr && projection->create != nullptr &&
             projection->apply != nullptr,
         "a projection has a name and its two functions");
  ensure(freshet::c::are_names(projection->tables, projection->tables_count),
         "the tables of a projection are names, as many as it says and at most 1000");
  sure(options).options.projections.push_back(std::make_shared<freshet::c::CallbackProjection>(*projection));
}

void freshet_options_add_upcaster(freshet_options* options, const char* type, int from,
                                  freshet_code (*convert)(void* context, const char* data, size_t data_size,
                                                          freshet_converted* converted, freshet_error* error),
                                  void* context) {
  ensure(type != nullptr && convert != nullptr, "an upcaster has a type and its function");
  const auto run = [convert, context](std::string_view data) {
    freshet_converted converted;
    freshet_error error{};
    error.code = convert(context, data.data(), data.size(), &converted, &error);
    if (error.code != FRESHET_OK) freshet::c::raise(error);
    return std::move(converted.data);
  };
  sure(options).options.upcasters.push_back({type, from, run});
}

void freshet_options_set_form(freshet_options* options, const char* type, int newest) {
  ensure(newest >= freshet::any_form, "a schema version is a number from 1, or 0 for any");
  freshet::KnownForms& forms = sure(options).options.forms;
  if (type == nullptr) {
    forms.of_others = newest;
  } else {
    forms.newest.insert_or_assign(type, newest);
  }
}

void freshet_converted_set(freshet_converted* converted, const char* data, size_t data_size) {
  ensure((data != nullptr || data_size == 0) && data_size <= freshet::c::bytes_max, "what is converted is data");
  sure(converted).data = data_size == 0 ? "" : std::string(data, data_size);
}

void freshet_options_set_notice(freshet_options* options, void (*notice)(void* context, int level, const char* message),
                                void* context) {
  auto& on_notice = sure(options).options.on_notice;
  on_notice = nullptr;
  if (notice == nullptr) return;
  on_notice = [notice, context](const freshet::Notice& told) {
    notice(context, static_cast<int>(told.level), told.message.c_str());
  };
}
