{# Declared columns as statements, and queries held against them. #}

{% macro get_table_columns_and_constraints() %}{{ return(adapter.dispatch('get_table_columns_and_constraints', 'dbt')()) }}{% endmacro %}
{% macro default__get_table_columns_and_constraints() %}{{ return(table_columns_and_constraints()) }}{% endmacro %}
{% macro table_columns_and_constraints() %}
    {%- set lines = [] -%}
    {%- for column in model.columns.values() -%}
        {%- set parts = [adapter.quote(column.name) if column.quote else column.name, column.data_type] -%}
        {%- for constraint in column.constraints or [] -%}{%- do parts.append(_constraint_text(constraint, [])) -%}{%- endfor -%}
        {%- do lines.append(parts | select | join(' ')) -%}
    {%- endfor -%}
    {%- for constraint in model.constraints or [] -%}{%- do lines.append(_constraint_text(constraint, constraint.columns or [])) -%}{%- endfor -%}
    {{ return('(\n    ' ~ lines | select | join(',\n    ') ~ '\n)') }}
{% endmacro %}

{# One constraint, of a column or, with their names, of several. #}
{% macro _constraint_text(constraint, columns) %}
    {%- set kind, said = constraint.type, constraint.expression or '' -%}
    {%- set list = ' (' ~ columns | join(', ') ~ ')' if columns else '' -%}
    {%- set named = 'constraint ' ~ constraint.name ~ ' ' if constraint.name and columns else '' -%}
    {%- if kind == 'not_null' -%}{{ return(('not null ' ~ said) | trim) }}
    {%- elif kind == 'check' -%}{{ return(named ~ 'check (' ~ said ~ ')') }}
    {%- elif kind in ['unique', 'primary_key'] -%}{{ return((named ~ kind | replace('_', ' ') ~ list ~ ' ' ~ said) | trim) }}
    {%- elif kind == 'foreign_key' -%}
        {%- set target = constraint.to ~ ' (' ~ (constraint.to_columns or []) | join(', ') ~ ')' if constraint.to else said -%}
        {{ return(named ~ ('foreign key' ~ list ~ ' ' if columns else '') ~ 'references ' ~ target) }}
    {%- elif kind == 'custom' -%}{{ return(said) }}
    {%- endif -%}
    {{ return('') }}
{% endmacro %}

{% macro get_assert_columns_equivalent(sql) %}{{ return(adapter.dispatch('get_assert_columns_equivalent', 'dbt')(sql)) }}{% endmacro %}
{% macro default__get_assert_columns_equivalent(sql) %}{{ return(assert_columns_equivalent(sql)) }}{% endmacro %}

{# Fails where a query has other columns than the model declares. #}
{% macro assert_columns_equivalent(sql) %}
    {%- if not model.columns -%}{%- do exceptions.raise_contract_error([], []) -%}{%- endif -%}
    {%- set given = format_columns(get_column_schema_from_query(sql, config.get('sql_header'))) -%}
    {%- set declared = format_columns(get_column_schema_from_query(get_empty_schema_sql(model.columns))) -%}
    {%- if given | map(attribute='formatted') | sort | list != declared | map(attribute='formatted') | sort | list -%}
        {%- do exceptions.raise_contract_error(declared, given) -%}
    {%- endif -%}
{% endmacro %}

{% macro format_columns(columns) %}
    {%- set formatted = [] -%}
    {%- for column in columns -%}{%- do formatted.append(adapter.dispatch('format_column', 'dbt')(column)) -%}{%- endfor -%}
    {{ return(formatted) }}
{% endmacro %}
{% macro default__format_column(column) %}
    {{ return({'name': column.name, 'data_type': column.dtype, 'formatted': column.name | lower ~ ' ' ~ column.dtype}) }}
{% endmacro %}

{# Names of described columns that the relation has, with a warning for those that it lacks. #}
{% macro validate_doc_columns(relation, column_dict, existing_column_names) %}
    {%- set there, held = {}, existing_column_names | map('lower') | list -%}
    {%- for name in column_dict -%}
        {%- if name in existing_column_names or name | lower in held -%}
            {%- do there.update({name: column_dict[name]}) -%}
        {%- else -%}
            {%- do exceptions.warn("the column '" ~ name ~ "' is described, and " ~ relation ~ ' has none of that name') -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(there) }}
{% endmacro %}
