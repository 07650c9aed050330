{# Relations: finding, naming, making, renaming and dropping them. #}

{% macro load_cached_relation(relation) %}
    {{ return(adapter.get_relation(database=relation.database, schema=relation.schema, identifier=relation.identifier)) }}
{% endmacro %}

{% macro load_relation(relation) %}{{ return(load_cached_relation(relation)) }}{% endmacro %}

{# Whether there is one already, and the relation: of the kind that is there, or else of the one that is wanted. #}
{% macro get_or_create_relation(database, schema, identifier, type) %}{{ return(adapter.dispatch('get_or_create_relation', 'dbt')(database, schema, identifier, type)) }}{% endmacro %}
{% macro default__get_or_create_relation(database, schema, identifier, type) %}
    {%- set found = adapter.get_relation(database=database, schema=schema, identifier=identifier) -%}
    {%- if found -%}{{ return([true, found]) }}{%- endif -%}
    {{ return([false, api.Relation.create(database=database, schema=schema, identifier=identifier, type=type)]) }}
{% endmacro %}

{# The name with a suffix, cut so that the engine keeps all of it. #}
{% macro _suffixed_relation(base_relation, suffix) %}
    {%- set room = base_relation.relation_max_name_length() - suffix | length -%}
    {{ return(base_relation.incorporate(path={'identifier': base_relation.identifier[:room] ~ suffix})) }}
{% endmacro %}

{% macro make_intermediate_relation(base_relation, suffix='__dbt_tmp') %}{{ return(adapter.dispatch('make_intermediate_relation', 'dbt')(base_relation, suffix)) }}{% endmacro %}
{% macro default__make_intermediate_relation(base_relation, suffix) %}
    {{ return(_suffixed_relation(base_relation, suffix)) }}
{% endmacro %}

{# A temporary table lies in a schema of the session's own. #}
{% macro make_temp_relation(base_relation, suffix='__dbt_tmp') %}{{ return(adapter.dispatch('make_temp_relation', 'dbt')(base_relation, suffix)) }}{% endmacro %}
{% macro default__make_temp_relation(base_relation, suffix) %}
    {%- set named = _suffixed_relation(base_relation, suffix ~ (invocation_id | replace('-', ''))[:12]) -%}
    {{ return(named.incorporate(path={'database': none, 'schema': none})) }}
{% endmacro %}

{% macro make_backup_relation(base_relation, backup_relation_type, suffix='__dbt_backup') %}{{ return(adapter.dispatch('make_backup_relation', 'dbt')(base_relation, backup_relation_type, suffix)) }}{% endmacro %}
{% macro default__make_backup_relation(base_relation, backup_relation_type, suffix) %}
    {{ return(_suffixed_relation(base_relation, suffix).incorporate(type=backup_relation_type)) }}
{% endmacro %}

{% macro _kind_in_sql(relation) %}{{ return((relation.type or 'table') | replace('_', ' ')) }}{% endmacro %}

{# Refused where other relations read it: what they are is seldom known to who drops it. #}
{% macro drop_relation(relation) %}{{ return(adapter.dispatch('drop_relation', 'dbt')(relation)) }}{% endmacro %}
{% macro default__drop_relation(relation) %}
    {%- do run_query(get_drop_sql(relation)) -%}
{% endmacro %}
{% macro drop_relation_if_exists(relation) %}
    {%- if relation is not none -%}{%- do adapter.drop_relation(relation) -%}{%- endif -%}
{% endmacro %}
{% macro get_drop_sql(relation) %}{{ return(adapter.dispatch('get_drop_sql', 'dbt')(relation)) }}{% endmacro %}
{% macro default__get_drop_sql(relation) %}
    {%- if relation.is_view -%}{{ return(drop_view(relation)) }}{%- endif -%}
    {%- if relation.is_materialized_view -%}{{ return(drop_materialized_view(relation)) }}{%- endif -%}
    {{ return(drop_table(relation)) }}
{% endmacro %}
{% macro drop_table(relation) %}{{ return(adapter.dispatch('drop_table', 'dbt')(relation)) }}{% endmacro %}
{% macro default__drop_table(relation) -%}
    drop table if exists {{ relation }}
{%- endmacro %}
{% macro drop_view(relation) %}{{ return(adapter.dispatch('drop_view', 'dbt')(relation)) }}{% endmacro %}
{% macro default__drop_view(relation) -%}
    drop view if exists {{ relation }}
{%- endmacro %}
{% macro drop_materialized_view(relation) %}{{ return(adapter.dispatch('drop_materialized_view', 'dbt')(relation)) }}{% endmacro %}
{% macro default__drop_materialized_view(relation) -%}
    drop materialized view if exists {{ relation }}
{%- endmacro %}

{% macro rename_relation(from_relation, to_relation) %}{{ return(adapter.dispatch('rename_relation', 'dbt')(from_relation, to_relation)) }}{% endmacro %}
{% macro default__rename_relation(from_relation, to_relation) %}
    {%- do run_query(get_rename_sql(from_relation.incorporate(type=from_relation.type or to_relation.type), to_relation.identifier)) -%}
{% endmacro %}
{% macro get_rename_sql(relation, new_name) %}{{ return(adapter.dispatch('get_rename_sql', 'dbt')(relation, new_name)) }}{% endmacro %}
{% macro default__get_rename_sql(relation, new_name) -%}
    alter {{ _kind_in_sql(relation) }} {{ relation }} rename to {{ adapter.quote(new_name) }}
{%- endmacro %}
{% macro get_rename_table_sql(relation, new_name) %}{{ return(get_rename_sql(relation.incorporate(type='table'), new_name)) }}{% endmacro %}
{% macro get_rename_view_sql(relation, new_name) %}{{ return(get_rename_sql(relation.incorporate(type='view'), new_name)) }}{% endmacro %}
{% macro get_rename_materialized_view_sql(relation, new_name) %}{{ return(get_rename_sql(relation.incorporate(type='materialized_view'), new_name)) }}{% endmacro %}
{% macro get_rename_intermediate_sql(relation) %}{{ return(get_rename_sql(make_intermediate_relation(relation), relation.identifier)) }}{% endmacro %}
{% macro get_create_backup_sql(relation) %}{{ return(get_rename_sql(relation, make_backup_relation(relation, relation.type).identifier)) }}{% endmacro %}
{% macro get_drop_backup_sql(relation) %}{{ return(get_drop_sql(make_backup_relation(relation, relation.type))) }}{% endmacro %}

{% macro truncate_relation(relation) %}{{ return(adapter.dispatch('truncate_relation', 'dbt')(relation)) }}{% endmacro %}
{% macro default__truncate_relation(relation) %}
    {%- do run_query('truncate table ' ~ relation) -%}
{% endmacro %}

{# A statement that must stand before the one of a model. #}
{% macro set_sql_header(config) -%}
    {%- do config.set('sql_header', caller()) -%}
{%- endmacro %}
{% macro _sql_header() -%}
    {{ config.get('sql_header') or '' }}
{%- endmacro %}

{% macro get_create_table_as_sql(temporary, relation, sql) %}{{ return(adapter.dispatch('get_create_table_as_sql', 'dbt')(temporary, relation, sql)) }}{% endmacro %}
{% macro default__get_create_table_as_sql(temporary, relation, sql) %}{{ return(create_table_as(temporary, relation, sql)) }}{% endmacro %}
{% macro create_table_as(temporary, relation, compiled_code, language='sql') %}
    {%- if language != 'sql' -%}
        {{ exceptions.raise_compiler_error("create_table_as() takes SQL, not '" ~ language ~ "'") }}
    {%- endif -%}
    {{ return(adapter.dispatch('create_table_as', 'dbt')(temporary, relation, compiled_code)) }}
{% endmacro %}
{% macro default__create_table_as(temporary, relation, sql) -%}
    {{ _sql_header() }}
    create {{ 'temporary ' if temporary }}table {{ relation.include(database=false, schema=false) if temporary else relation }} as (
        {{ sql }}
    );
{%- endmacro %}

{% macro get_create_view_as_sql(relation, sql) %}{{ return(adapter.dispatch('get_create_view_as_sql', 'dbt')(relation, sql)) }}{% endmacro %}
{% macro default__get_create_view_as_sql(relation, sql) %}{{ return(create_view_as(relation, sql)) }}{% endmacro %}
{% macro create_view_as(relation, sql) %}{{ return(adapter.dispatch('create_view_as', 'dbt')(relation, sql)) }}{% endmacro %}
{% macro default__create_view_as(relation, sql) -%}
    {{ _sql_header() }}
    create view {{ relation }} as (
        {{ sql }}
    );
{%- endmacro %}
{% macro get_replace_view_sql(relation, sql) %}{{ return(adapter.dispatch('get_replace_view_sql', 'dbt')(relation, sql)) }}{% endmacro %}
{% macro default__get_replace_view_sql(relation, sql) -%}
    create or replace view {{ relation }} as (
        {{ sql }}
    );
{%- endmacro %}

{% macro get_create_materialized_view_as_sql(relation, sql) %}{{ return(adapter.dispatch('get_create_materialized_view_as_sql', 'dbt')(relation, sql)) }}{% endmacro %}
{% macro default__get_create_materialized_view_as_sql(relation, sql) -%}
    create materialized view if not exists {{ relation }} as {{ sql }}
{%- endmacro %}
{% macro refresh_materialized_view(relation) %}{{ return(adapter.dispatch('refresh_materialized_view', 'dbt')(relation)) }}{% endmacro %}
{% macro default__refresh_materialized_view(relation) -%}
    refresh materialized view {{ relation }}
{%- endmacro %}

{% macro get_create_sql(relation, sql) %}{{ return(adapter.dispatch('get_create_sql', 'dbt')(relation, sql)) }}{% endmacro %}
{% macro default__get_create_sql(relation, sql) %}
    {%- if relation.is_view -%}{{ return(get_create_view_as_sql(relation, sql)) }}{%- endif -%}
    {%- if relation.is_materialized_view -%}{{ return(get_create_materialized_view_as_sql(relation, sql)) }}{%- endif -%}
    {{ return(get_create_table_as_sql(false, relation, sql)) }}
{% endmacro %}
{% macro get_create_intermediate_sql(relation, sql) %}{{ return(get_create_sql(make_intermediate_relation(relation), sql)) }}{% endmacro %}

{# What stands under a name gives way to a new relation: built beside it, and put in its place. #}
{% macro get_replace_sql(existing_relation, target_relation, sql) %}{{ return(adapter.dispatch('get_replace_sql', 'dbt')(existing_relation, target_relation, sql)) }}{% endmacro %}
{% macro default__get_replace_sql(existing_relation, target_relation, sql) -%}
    {{ get_create_intermediate_sql(target_relation, sql) }};
    {{ get_create_backup_sql(existing_relation) }};
    {{ get_rename_intermediate_sql(target_relation) }};
    {{ get_drop_backup_sql(existing_relation) }};
{%- endmacro %}

{# Indexes of the configuration 'indexes'. The engine gives them their names, except for DuckDB. #}
{% macro get_create_index_sql(relation, index_dict) %}{{ return(adapter.dispatch('get_create_index_sql', 'dbt')(relation, index_dict)) }}{% endmacro %}
{% macro default__get_create_index_sql(relation, index_dict) -%}
    {%- set index = adapter.parse_index(index_dict) -%}
    create {{ 'unique ' if index.unique }}index on {{ relation }}{{ ' using ' ~ index.type if index.type }} ({{ index.columns | join(', ') }})
{%- endmacro %}
{% macro duckdb__get_create_index_sql(relation, index_dict) -%}
    {%- set index = adapter.parse_index(index_dict) -%}
    {%- set name = [relation.identifier] + index.columns + [(invocation_id | replace('-', ''))[:12]] -%}
    create {{ 'unique ' if index.unique }}index {{ adapter.quote(name | join('_')) }} on {{ relation }} ({{ index.columns | join(', ') }})
{%- endmacro %}
{% macro create_indexes(relation) %}{{ return(adapter.dispatch('create_indexes', 'dbt')(relation)) }}{% endmacro %}
{% macro default__create_indexes(relation) %}
    {%- for index_dict in config.get('indexes') or [] -%}
        {%- do run_query(get_create_index_sql(relation, index_dict)) -%}
    {%- endfor -%}
{% endmacro %}
{% macro get_drop_index_sql(relation, index_name) %}{{ return(adapter.dispatch('get_drop_index_sql', 'dbt')(relation, index_name)) }}{% endmacro %}
{% macro default__get_drop_index_sql(relation, index_name) -%}
    drop index if exists {{ adapter.quote(relation.schema) }}.{{ adapter.quote(index_name) }}
{%- endmacro %}
