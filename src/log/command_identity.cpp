// What an idempotency key belongs to, as bytes and as their digest.
#include "freshet/command_identity.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <bit>
#include <cstring>

#include "base/deliberate_bug.hpp"
#include "freshet/event_log.hpp"

namespace freshet {
namespace {

static_assert(std::endian::native == std::endian::little, "numbers are fed as they lie in memory");

// A longer text is fed as its digest, so that memory for the arguments stays small.
constexpr std::size_t text_fed_bytes_max = 1'024;

std::array<char, 16> digest(std::string_view bytes) {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits(bytes.data(), bytes.size()));
  return std::bit_cast<std::array<char, 16>>(canonical.digest);
}

void add(CommandIdentity& identity, const std::optional<Correlation>& ids) {
  identity.add(ids ? std::optional{ids->correlation_id} : std::nullopt);
  identity.add(ids ? std::optional{ids->causation_id} : std::nullopt);
}

}  // namespace

void CommandIdentity::feed(char kind, std::uint64_t number) {
  std::array<char, 1 + sizeof number> bytes{kind};
  std::memcpy(bytes.data() + 1, &number, sizeof number);
  fed_.append(bytes.data(), bytes.size());
}

CommandIdentity& CommandIdentity::add(std::string_view text) {
  if (deliberately(Bug::argument_left_out)) return *this;
  if (text.size() <= text_fed_bytes_max) {
    feed('t', text.size());
    fed_ += text;
  } else {
    feed('T', text.size());
    const auto of_text = digest(text);
    fed_.append(of_text.begin(), of_text.end());
  }
  return *this;
}

CommandIdentity& CommandIdentity::add(Timestamp time) {
  feed('@', std::bit_cast<std::uint64_t>(std::int64_t{time.time_since_epoch().count()}));
  return *this;
}

CommandIdentity& CommandIdentity::add_number(Sign sign, std::uint64_t bits) {
  feed(sign == Sign::negative ? '-' : '+', bits);
  return *this;
}

void CommandIdentity::add_presence(bool is_present) {
  fed_ += is_present ? '1' : '0';
}

void CommandIdentity::add_size(std::size_t size) {
  feed('[', size);
}

CommandIdentity& CommandIdentity::make_up_stream() {
  has_made_up_stream_ = true;
  fed_ += '*';
  return *this;
}

KeptIdentity CommandIdentity::kept() const {
  return {name_, digest(fed_)};
}

CommandIdentity identity_of(const Append& request) {
  if (request.identity) return *request.identity;
  CommandIdentity identity{std::string{}};
  identity.add_each(request.events, [&](CommandIdentity& of_event, const NewEvent& event) {
    of_event.add(event.type).add(event.schema_version).add(event.data).add(event.content_type).add(event.metadata);
    of_event.add(event.occurred_at);
    // As they are recorded, from wherever they come.
    add(of_event, event.correlation ? event.correlation : request.correlation);
  });
  return identity;
}

}  // namespace freshet
