{# Rows of unit tests as queries. #}

{# A row with its values cast to the types of their columns, by names in lower case. #}
{% macro format_row(row, column_name_to_data_types) %}
    {%- set cells = {} -%}
    {%- for name, value in row.items() -%}
        {%- set name = name | lower -%}
        {%- if name not in column_name_to_data_types -%}
            {%- do exceptions.raise_compiler_error("a row of a unit test has the column '" ~ name ~ "', and there are: " ~ column_name_to_data_types.keys() | join(', ')) -%}
        {%- endif -%}
        {%- set text = dbt.string_literal(dbt.escape_single_quotes(value)) | trim if value is string else ('null' if value is none else value) -%}
        {%- do cells.update({name: dbt.safe_cast(text, column_name_to_data_types[name]) | trim}) -%}
    {%- endfor -%}
    {{ return(cells) }}
{% endmacro %}

{% macro _cells(cells, names) %}
    {%- set parts = [] -%}
    {%- for name, value in cells.items() -%}{%- do parts.append(value ~ ' as ' ~ (names.get(name) or adapter.quote(name))) -%}{%- endfor -%}
    {{ return('select ' ~ parts | join(', ')) }}
{% endmacro %}

{# The rows that stand for a relation: columns that a row leaves out are null. #}
{% macro get_fixture_sql(rows, column_name_to_data_types) %}
    {%- set types, names = {}, {} -%}
    {%- do types.update(column_name_to_data_types or {}) -%}
    {%- if not types -%}
        {%- for column in adapter.get_columns_in_relation(this) -%}
            {%- do types.update({column.name | lower: column.data_type}) -%}
            {%- do names.update({column.name | lower: column.quoted}) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- if not types -%}
        {%- do exceptions.raise_compiler_error('the columns of ' ~ this ~ ' are not known: it is not there') -%}
    {%- endif -%}
    {%- set nothing, queries = {}, [] -%}
    {%- for name in types -%}{%- do nothing.update({name: dbt.safe_cast('null', types[name]) | trim}) -%}{%- endfor -%}
    {%- do validate_fixture_rows(rows, none) -%}
    {%- for row in rows -%}
        {%- set cells = nothing.copy() -%}
        {%- do cells.update(format_row(row, types)) -%}
        {%- do queries.append(_cells(cells, names)) -%}
    {%- endfor -%}
    {{ return(queries | join('\nunion all\n') or _cells(nothing, names) ~ ' limit 0') }}
{% endmacro %}

{% macro get_expected_sql(rows, column_name_to_data_types, column_name_to_quoted) %}
    {%- set queries = [] -%}
    {%- for row in rows -%}{%- do queries.append(_cells(format_row(row, column_name_to_data_types), column_name_to_quoted or {})) -%}{%- endfor -%}
    {{ return(queries | join('\nunion all\n') or 'select * from dbt_internal_unit_test_actual limit 0') }}
{% endmacro %}

{% macro validate_fixture_rows(rows, row_number) %}{{ return(adapter.dispatch('validate_fixture_rows', 'dbt')(rows, row_number)) }}{% endmacro %}
{% macro default__validate_fixture_rows(rows, row_number) %}{% endmacro %}

{# What a model gives and what is expected, told apart by a column. #}
{% macro get_unit_test_sql(main_sql, expected_fixture_sql, expected_column_names) %}{{ return(adapter.dispatch('get_unit_test_sql', 'dbt')(main_sql, expected_fixture_sql, expected_column_names)) }}{% endmacro %}
{% macro default__get_unit_test_sql(main_sql, expected_fixture_sql, expected_column_names) -%}
    {%- set list, mark = expected_column_names | join(', '), adapter.quote('actual_or_expected') -%}
    with dbt_internal_unit_test_actual as (
        select {{ list }}, 'actual' as {{ mark }} from (
            {{ main_sql }}
        ) as given
    )
    select * from dbt_internal_unit_test_actual
    union all
    select {{ list }}, 'expected' as {{ mark }} from (
        {{ expected_fixture_sql }}
    ) as wanted
{%- endmacro %}
