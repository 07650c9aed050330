{# Schemas. #}

{% macro create_schema(relation) %}{{ return(adapter.dispatch('create_schema', 'dbt')(relation)) }}{% endmacro %}
{% macro default__create_schema(relation) %}
    {%- do run_query('create schema if not exists ' ~ adapter.quote(relation.schema)) -%}
{% endmacro %}

{# Whoever drops a schema means everything in it. #}
{% macro drop_schema(relation) %}{{ return(adapter.dispatch('drop_schema', 'dbt')(relation)) }}{% endmacro %}
{% macro default__drop_schema(relation) %}
    {%- do run_query('drop schema if exists ' ~ adapter.quote(relation.schema) ~ ' cascade') -%}
{% endmacro %}

{% macro drop_schema_named(schema_name) %}{{ return(adapter.dispatch('drop_schema_named', 'dbt')(schema_name)) }}{% endmacro %}
{% macro default__drop_schema_named(schema_name) %}
    {%- do adapter.drop_schema(api.Relation.create(database=target.database, schema=schema_name)) -%}
{% endmacro %}

{% macro information_schema_name(database) %}{{ return(adapter.dispatch('information_schema_name', 'dbt')(database)) }}{% endmacro %}
{% macro default__information_schema_name(database) %}information_schema{% endmacro %}

{% macro list_schemas(database) %}{{ return(adapter.dispatch('list_schemas', 'dbt')(database)) }}{% endmacro %}
{% macro default__list_schemas(database) %}
    {{ return(run_query('select distinct schema_name from information_schema.schemata order by schema_name')) }}
{% endmacro %}

{% macro check_schema_exists(information_schema, schema) %}{{ return(adapter.dispatch('check_schema_exists', 'dbt')(information_schema, schema)) }}{% endmacro %}
{% macro default__check_schema_exists(information_schema, schema) %}
    {%- set name = dbt.escape_single_quotes(schema) -%}
    {{ return(run_query("select count(*) from information_schema.schemata where lower(schema_name) = lower('" ~ name ~ "')")) }}
{% endmacro %}

{% macro list_relations_without_caching(schema_relation) %}{{ return(adapter.dispatch('list_relations_without_caching', 'dbt')(schema_relation)) }}{% endmacro %}
{% macro default__list_relations_without_caching(schema_relation) %}
    {%- call statement('list_relations_without_caching', fetch_result=true) -%}
        select
            table_catalog as database,
            table_name as name,
            table_schema as schema,
            case table_type when 'VIEW' then 'view' else 'table' end as type
        from information_schema.tables
        where lower(table_schema) = lower('{{ dbt.escape_single_quotes(schema_relation.schema) }}')
        order by table_name
    {%- endcall -%}
    {{ return(load_result('list_relations_without_caching').table) }}
{% endmacro %}

{# What a catalogue is made of: a row for each column, with its relation. #}
{% macro get_catalog(information_schema, schemas) %}{{ return(adapter.dispatch('get_catalog', 'dbt')(information_schema, schemas)) }}{% endmacro %}
{% macro default__get_catalog(information_schema, schemas) %}
    {%- set wanted = [] -%}
    {%- for schema in schemas -%}
        {%- do wanted.append("lower('" ~ dbt.escape_single_quotes(schema) ~ "')") -%}
    {%- endfor -%}
    {%- call statement('catalog', fetch_result=true) -%}
        select
            held.table_catalog as table_database,
            held.table_schema,
            held.table_name,
            held.table_type,
            cast(null as {{ dbt.type_string() }}) as table_comment,
            part.column_name,
            part.ordinal_position as column_index,
            part.data_type as column_type,
            cast(null as {{ dbt.type_string() }}) as column_comment,
            cast(null as {{ dbt.type_string() }}) as table_owner
        from information_schema.tables as held
        join information_schema.columns as part
          on part.table_schema = held.table_schema and part.table_name = held.table_name
        where lower(held.table_schema) in ({{ wanted | join(', ') or 'null' }})
        order by held.table_schema, held.table_name, part.ordinal_position
    {%- endcall -%}
    {{ return(load_result('catalog').table) }}
{% endmacro %}

{% macro get_catalog_relations(information_schema, relations) %}{{ return(adapter.dispatch('get_catalog_relations', 'dbt')(information_schema, relations)) }}{% endmacro %}
{% macro default__get_catalog_relations(information_schema, relations) %}
    {{ return(get_catalog(information_schema, relations | map(attribute='schema') | unique | list)) }}
{% endmacro %}
