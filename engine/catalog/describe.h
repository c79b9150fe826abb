// Definitions as SQL that would make them: pg_get_indexdef(), pg_get_constraintdef() (PostgreSQL's
// src/backend/utils/adt/ruleutils.c).
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "engine/catalog/definition.h"

namespace polarsim::engine::catalog {

// "CREATE UNIQUE INDEX t_pkey ON public.t USING btree (id)". `table_name` as it is to be shown; empty: with its schema.
std::string index_text(const Definition& index, const Definition& table, const std::string& table_name = {});
// The key of that number, from 1; an empty text if there is none.
std::string index_key_text(const Definition& index, const Definition& table, int number);
// "PRIMARY KEY (id)", "UNIQUE (a, b)"; of an index that is a constraint.
std::string key_constraint_text(const Definition& index, const Definition& table);
// Storage parameters as WITH would have them between its brackets: "fillfactor='70'".
std::string options_text(const Definition& relation);
// "CHECK ((a > 0))".
std::string check_text(const Check& check);
// "FOREIGN KEY (a) REFERENCES b(id) ON DELETE CASCADE"; `referenced_name` as it is to be shown.
std::string foreign_key_text(const ForeignKey& key, const Definition& table, const Definition& referenced,
                             const std::string& referenced_name);
// The relations that a stored expression or query names as values: 'sequence'::regclass, kept as '16400'::regclass.
std::set<RelationId> named_relations(std::string_view text);

}  // namespace polarsim::engine::catalog
