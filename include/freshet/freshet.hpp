// All of Freshet's interface.
#pragma once

#include "freshet/bus.hpp"
#include "freshet/clock.hpp"
#include "freshet/correlation.hpp"
#include "freshet/decider.hpp"
#include "freshet/error.hpp"
#include "freshet/event.hpp"
#include "freshet/event_log.hpp"
#include "freshet/projection.hpp"
#include "freshet/query.hpp"
#include "freshet/session.hpp"
#include "freshet/sql.hpp"
#include "freshet/store.hpp"
#include "freshet/subscription.hpp"
#include "freshet/trace.hpp"
#include "freshet/types.hpp"
#include "freshet/upcaster.hpp"
