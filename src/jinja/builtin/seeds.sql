{# Tables of seeds, for materializations that load rows themselves. #}

{% macro create_csv_table(model, agate_table) %}{{ return(adapter.dispatch('create_csv_table', 'dbt')(model, agate_table)) }}{% endmacro %}
{% macro default__create_csv_table(model, agate_table) %}
    {%- set told, quoted = model.config.get('column_types') or {}, model.config.get('quote_columns') -%}
    {%- set columns = [] -%}
    {%- for name in agate_table.column_names -%}
        {%- do columns.append(adapter.quote_seed_column(name, quoted) ~ ' ' ~ told.get(name, dbt.type_string())) -%}
    {%- endfor -%}
    {%- set made = 'create table ' ~ this ~ ' (' ~ columns | join(', ') ~ ')' -%}
    {%- do run_query(made) -%}
    {{ return(made) }}
{% endmacro %}

{% macro reset_csv_table(model, full_refresh, old_relation, agate_table) %}{{ return(adapter.dispatch('reset_csv_table', 'dbt')(model, full_refresh, old_relation, agate_table)) }}{% endmacro %}
{% macro default__reset_csv_table(model, full_refresh, old_relation, agate_table) %}
    {%- if full_refresh -%}
        {%- do adapter.drop_relation(old_relation) -%}
        {{ return(create_csv_table(model, agate_table)) }}
    {%- endif -%}
    {%- do adapter.truncate_relation(old_relation) -%}
    {{ return('truncate table ' ~ old_relation) }}
{% endmacro %}

{# Sends the rows, so many at once, and returns the first statement. Values stand in it: nothing is bound. #}
{% macro load_csv_rows(model, agate_table) %}{{ return(adapter.dispatch('load_csv_rows', 'dbt')(model, agate_table)) }}{% endmacro %}
{% macro default__load_csv_rows(model, agate_table) %}
    {%- set sent, list = [], get_seed_column_quoted_csv(model, agate_table.column_names) -%}
    {%- for some in agate_table.rows | batch(get_batch_size()) -%}
        {%- set lines = [] -%}
        {%- for row in some -%}
            {%- set cells = [] -%}
            {%- for cell in row -%}
                {%- do cells.append('null' if cell is none else dbt.string_literal(dbt.escape_single_quotes(cell | string)) | trim) -%}
            {%- endfor -%}
            {%- do lines.append('(' ~ cells | join(', ') ~ ')') -%}
        {%- endfor -%}
        {%- set filled = 'insert into ' ~ this ~ ' (' ~ list ~ ') values ' ~ lines | join(', ') -%}
        {%- do run_query(filled) -%}
        {%- do sent.append(filled) -%}
    {%- endfor -%}
    {{ return(sent[0] if sent else '') }}
{% endmacro %}

{% macro get_seed_column_quoted_csv(model, column_names) %}
    {%- set names = [] -%}
    {%- for name in column_names -%}{%- do names.append(adapter.quote_seed_column(name, model.config.get('quote_columns'))) -%}{%- endfor -%}
    {{ return(names | join(', ')) }}
{% endmacro %}

{% macro get_csv_sql(create_or_truncate_sql, insert_sql) %}{{ return(adapter.dispatch('get_csv_sql', 'dbt')(create_or_truncate_sql, insert_sql)) }}{% endmacro %}
{% macro default__get_csv_sql(create_or_truncate_sql, insert_sql) %}{{ return(create_or_truncate_sql ~ ';\n' ~ insert_sql) }}{% endmacro %}

{% macro get_batch_size() %}{{ return(adapter.dispatch('get_batch_size', 'dbt')()) }}{% endmacro %}
{% macro default__get_batch_size() %}{{ return(10000) }}{% endmacro %}
{% macro get_binding_char() %}{{ return(adapter.dispatch('get_binding_char', 'dbt')()) }}{% endmacro %}
{% macro default__get_binding_char() %}{{ return('%s') }}{% endmacro %}
