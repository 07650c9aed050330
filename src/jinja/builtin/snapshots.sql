{# Pieces of which snapshots are made. #}

{% macro snapshot_hash_arguments(args) %}{{ return(adapter.dispatch('snapshot_hash_arguments', 'dbt')(args)) }}{% endmacro %}
{% macro default__snapshot_hash_arguments(args) -%}
    md5({% for arg in args %}coalesce(cast({{ arg }} as {{ dbt.type_string() }}), ''){{ " || '|' || " if not loop.last }}{% endfor %})
{%- endmacro %}

{# Names of the columns that a snapshot adds, the project's own in the place of the usual ones. #}
{% macro get_snapshot_table_column_names() %}
    {%- set names = {} -%}
    {%- for name in ['dbt_valid_to', 'dbt_valid_from', 'dbt_scd_id', 'dbt_updated_at', 'dbt_is_deleted'] -%}
        {%- do names.update({name: name}) -%}
    {%- endfor -%}
    {%- do names.update(config.get('snapshot_meta_column_names') or {}) -%}
    {{ return(names) }}
{% endmacro %}

{% macro get_true_sql() %}{{ return(adapter.dispatch('get_true_sql', 'dbt')()) }}{% endmacro %}
{% macro default__get_true_sql() %}true{% endmacro %}

{% macro create_columns(relation, columns) %}{{ return(adapter.dispatch('create_columns', 'dbt')(relation, columns)) }}{% endmacro %}
{% macro default__create_columns(relation, columns) %}{%- do alter_relation_add_remove_columns(relation, columns) -%}{% endmacro %}

{% macro post_snapshot(staging_relation) %}{{ return(adapter.dispatch('post_snapshot', 'dbt')(staging_relation)) }}{% endmacro %}
{% macro default__post_snapshot(staging_relation) %}{% endmacro %}

{# The parts of a key of one column or many. #}
{% macro unique_key_fields(unique_key) -%}
    {%- for key in _key_columns(unique_key) -%}
        {{ key }} as dbt_unique_key{{ '_' ~ loop.index if unique_key is not string }}{{ ', ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}
{% macro _unique_key_parts(unique_key, template, separator) %}
    {%- set parts = [] -%}
    {%- for key in _key_columns(unique_key) -%}
        {%- do parts.append(template | replace('@', 'dbt_unique_key' ~ ('_' ~ loop.index if unique_key is not string else ''))) -%}
    {%- endfor -%}
    {{ return(parts | join(separator)) }}
{% endmacro %}
{% macro unique_key_join_on(unique_key, identifier, from_identifier) %}{{ return(_unique_key_parts(unique_key, identifier ~ '.@ = ' ~ from_identifier ~ '.@', ' and ')) }}{% endmacro %}
{% macro unique_key_is_null(unique_key, identifier) %}{{ return(_unique_key_parts(unique_key, identifier ~ '.@ is null', ' and ')) }}{% endmacro %}
{% macro unique_key_is_not_null(unique_key, identifier) %}{{ return(_unique_key_parts(unique_key, identifier ~ '.@ is not null', ' and ')) }}{% endmacro %}
