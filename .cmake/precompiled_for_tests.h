// As precompiled.h, with the libraries of the tests.
#pragma once

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "precompiled.h"
