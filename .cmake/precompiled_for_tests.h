// As precompiled.h, with the libraries of the tests.
#pragma once

#include "precompiled.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
