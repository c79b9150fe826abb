// Tables of the catalog for what does not exist here, so that those who look for it find nothing: policies, triggers,
// publications, partitions, extensions, ... Operator classes and conversions of encodings do exist inside, but have no
// names.
#include "engine/executor/system_views_catalog.h"
#include "engine/executor/system_views_families.h"

namespace polarsim::engine::executor {

namespace {

std::vector<Row> no_rows(const SystemViewInputs&) { return {}; }

struct EmptyView {
  std::uint32_t id;
  const char* name;
  const char* columns;
};

constexpr EmptyView views[] = {
    {826, "pg_default_acl", "oid oid, defaclrole oid, defaclnamespace oid, defaclobjtype char, defaclacl _text"},
    {1261, "pg_auth_members", "roleid oid, member oid, grantor oid, admin_option bool"},
    {1417, "pg_foreign_server",
     "oid oid, srvname name, srvowner oid, srvfdw oid, srvtype text, srvversion text, srvacl _text, "
     "srvoptions _text"},
    {1418, "pg_user_mapping", "oid oid, umuser oid, umserver oid, umoptions _text"},
    {2328, "pg_foreign_data_wrapper",
     "oid oid, fdwname name, fdwowner oid, fdwhandler oid, fdwvalidator oid, fdwacl _text, fdwoptions _text"},
    {2396, "pg_shdescription", "objoid oid, classoid oid, description text"},
    {2611, "pg_inherits", "inhrelid oid, inhparent oid, inhseqno int4, inhdetachpending bool"},
    {2616, "pg_opclass",
     "oid oid, opcmethod oid, opcname name, opcnamespace oid, opcowner oid, opcfamily oid, opcintype oid, "
     "opcdefault bool, opckeytype oid"},
    {2753, "pg_opfamily", "oid oid, opfmethod oid, opfname name, opfnamespace oid, opfowner oid"},
    {2620, "pg_trigger",
     "oid oid, tgrelid oid, tgparentid oid, tgname name, tgfoid oid, tgtype int2, tgenabled char, "
     "tgisinternal bool, tgconstrrelid oid, tgconstrindid oid, tgconstraint oid, tgdeferrable bool, "
     "tginitdeferred bool, tgnargs int2, tgattr int2vector, tgargs bytea, tgqual text, tgoldtable name, "
     "tgnewtable name"},
    {3079, "pg_extension",
     "oid oid, extname name, extowner oid, extnamespace oid, extrelocatable bool, extversion text, extconfig _oid, "
     "extcondition _text"},
    {3118, "pg_foreign_table", "ftrelid oid, ftserver oid, ftoptions _text"},
    {3256, "pg_policy",
     "oid oid, polname name, polrelid oid, polcmd char, polpermissive bool, polroles _oid, polqual text, "
     "polwithcheck text"},
    {3350, "pg_partitioned_table",
     "partrelid oid, partstrat char, partnatts int2, partdefid oid, partattrs int2vector, partclass oidvector, "
     "partcollation oidvector, partexprs text"},
    {3381, "pg_statistic_ext",
     "oid oid, stxrelid oid, stxname name, stxnamespace oid, stxowner oid, stxstattarget int4, stxkeys int2vector, "
     "stxkind _char, stxexprs text"},
    {3466, "pg_event_trigger",
     "oid oid, evtname name, evtevent name, evtowner oid, evtfoid oid, evtenabled char, evttags _text"},
    {3501, "pg_enum", "oid oid, enumtypid oid, enumsortorder float4, enumlabel name"},
    {3541, "pg_range",
     "rngtypid oid, rngsubtype oid, rngmultitypid oid, rngcollation oid, rngsubopc oid, rngcanonical regproc, "
     "rngsubdiff regproc"},
    {6100, "pg_subscription",
     "oid oid, subdbid oid, subskiplsn text, subname name, subowner oid, subenabled bool, subbinary bool, "
     "substream bool, subtwophasestate char, subdisableonerr bool, subconninfo text, subslotname name, "
     "subsynccommit text, subpublications _text"},
    {6104, "pg_publication",
     "oid oid, pubname name, pubowner oid, puballtables bool, pubinsert bool, pubupdate bool, pubdelete bool, "
     "pubtruncate bool, pubviaroot bool"},
    {6106, "pg_publication_rel", "oid oid, prpubid oid, prrelid oid, prqual text, prattrs int2vector"},
    {6237, "pg_publication_namespace", "oid oid, pnpubid oid, pnnspid oid"},
    {12038, "pg_matviews",
     "schemaname name, matviewname name, matviewowner name, tablespace name, hasindexes bool, ispopulated bool, "
     "definition text"},
    {12023, "pg_rules", "schemaname name, tablename name, rulename name, definition text"},
    {12018, "pg_policies",
     "schemaname name, tablename name, policyname name, permissive text, roles _name, cmd text, qual text, "
     "with_check text"},
    {2995, "pg_largeobject_metadata", "oid oid, lomowner oid, lomacl _text"},
    {2607, "pg_conversion",
     "oid oid, conname name, connamespace oid, conowner oid, conforencoding int4, contoencoding int4, "
     "conproc regproc, condefault bool"},
    {3602, "pg_ts_config", "oid oid, cfgname name, cfgnamespace oid, cfgowner oid, cfgparser oid"},
    {3600, "pg_ts_dict",
     "oid oid, dictname name, dictnamespace oid, dictowner oid, dicttemplate oid, dictinitoption text"},
    {3601, "pg_ts_parser",
     "oid oid, prsname name, prsnamespace oid, prsstart regproc, prstoken regproc, prsend regproc, "
     "prsheadline regproc, prslextype regproc"},
    {3764, "pg_ts_template", "oid oid, tmplname name, tmplnamespace oid, tmplinit regproc, tmpllexize regproc"},
    {2964, "pg_db_role_setting", "setdatabase oid, setrole oid, setconfig _text"},
    {2600, "pg_aggregate",
     "aggfnoid regproc, aggkind char, aggnumdirectargs int2, aggtransfn regproc, aggfinalfn regproc, "
     "aggcombinefn regproc, aggserialfn regproc, aggdeserialfn regproc, aggmtransfn regproc, aggminvtransfn regproc, "
     "aggmfinalfn regproc, aggfinalextra bool, aggmfinalextra bool, aggfinalmodify char, aggmfinalmodify char, "
     "aggsortop oid, aggtranstype oid, aggtransspace int4, aggmtranstype oid, aggmtransspace int4, agginitval text, "
     "aggminitval text"},
    {2602, "pg_amop",
     "oid oid, amopfamily oid, amoplefttype oid, amoprighttype oid, amopstrategy int2, amoppurpose char, amopopr oid, "
     "amopmethod oid, amopsortfamily oid"},
    {2603, "pg_amproc",
     "oid oid, amprocfamily oid, amproclefttype oid, amprocrighttype oid, amprocnum int2, amproc regproc"},
    {3394, "pg_init_privs", "objoid oid, classoid oid, objsubid int4, privtype char, initprivs _text"},
    {1214, "pg_shdepend",
     "dbid oid, classid oid, objid oid, objsubid int4, refclassid oid, refobjid oid, deptype char"},
    {6243, "pg_parameter_acl", "oid oid, parname text, paracl _text"},
    {3576, "pg_transform", "oid oid, trftype oid, trflang oid, trffromsql regproc, trftosql regproc"},
    {12327, "pg_user_mappings", "umid oid, srvid oid, srvname name, umuser oid, usename name, umoptions _text"},
    {12010, "pg_group", "groname name, grosysid oid, grolist _oid"},
    {12081, "pg_available_extensions", "name name, default_version text, installed_version text, comment text"},
    {12068, "pg_publication_tables", "pubname name, schemaname name, tablename name, attnames _name, rowfilter text"},
    {12257, "pg_replication_slots",
     "slot_name name, plugin name, slot_type text, datoid oid, database name, temporary bool, active bool, "
     "active_pid int4, xmin xid, catalog_xmin xid, restart_lsn text, confirmed_flush_lsn text, wal_status text, "
     "safe_wal_size int8, two_phase bool"},
    {12093, "pg_seclabels",
     "objoid oid, classoid oid, objsubid int4, objtype text, objnamespace oid, objname text, provider text, "
     "label text"},
    {3592, "pg_shseclabel", "objoid oid, classoid oid, provider text, label text"},
    {2613, "pg_largeobject", "loid oid, pageno int4, data bytea"},
    {6102, "pg_subscription_rel", "srsubid oid, srrelid oid, srsubstate char, srsublsn text"},
    {6000, "pg_replication_origin", "roident oid, roname text"},
    {3596, "pg_seclabel", "objoid oid, classoid oid, objsubid int4, provider text, label text"},
};

}  // namespace

void add_empty_views(std::vector<SystemView>& to) {
  to.push_back(make_view(13440, information_schema, "triggers",
                         "trigger_catalog name, trigger_schema name, trigger_name name, event_manipulation varchar, "
                         "event_object_catalog name, event_object_schema name, event_object_table name, "
                         "action_order int4, action_condition varchar, action_statement varchar, "
                         "action_orientation varchar, action_timing varchar, action_reference_old_table name, "
                         "action_reference_new_table name, action_reference_old_row name, "
                         "action_reference_new_row name, created timestamptz",
                         no_rows));
  to.push_back(make_view(
      13320, information_schema, "domains",
      "domain_catalog name, domain_schema name, domain_name name, data_type varchar, character_maximum_length int4, "
      "character_octet_length int4, character_set_catalog name, character_set_schema name, character_set_name name, "
      "collation_catalog name, collation_schema name, collation_name name, numeric_precision int4, "
      "numeric_precision_radix int4, numeric_scale int4, datetime_precision int4, interval_type varchar, "
      "interval_precision int4, domain_default varchar, udt_catalog name, udt_schema name, udt_name name, "
      "scope_catalog name, scope_schema name, scope_name name, maximum_cardinality int4, dtd_identifier name",
      no_rows));
  for (const EmptyView& view : views)
    to.push_back(make_view(view.id, catalog::system_schema, view.name, view.columns, no_rows));
}

}  // namespace polarsim::engine::executor
