{# What materializations do besides building. #}

{# Hooks of a node, those inside or those outside of the transaction. #}
{% macro run_hooks(hooks, inside_transaction=true) %}
    {%- for hook in hooks if hook.transaction == inside_transaction -%}
        {%- set rendered = render(hook.sql) | trim -%}
        {%- if rendered -%}{%- do run_query(rendered) -%}{%- endif -%}
    {%- endfor -%}
{% endmacro %}
{% macro make_hook_config(sql, inside_transaction) %}{{ return(tojson({'sql': sql, 'transaction': inside_transaction})) }}{% endmacro %}
{% macro before_begin(sql) %}{{ return(make_hook_config(sql, inside_transaction=false)) }}{% endmacro %}
{% macro in_transaction(sql) %}{{ return(make_hook_config(sql, inside_transaction=true)) }}{% endmacro %}
{% macro after_commit(sql) %}{{ return(make_hook_config(sql, inside_transaction=false)) }}{% endmacro %}

{% macro should_store_failures() %}
    {%- set told = config.get('store_failures') -%}
    {{ return(flags.STORE_FAILURES if told is none else told) }}
{% endmacro %}

{# The result of a statement that is not sent. #}
{% macro noop_statement(name=none, message=none, code=none, rows_affected=none, res=none) %}
    {%- if name is not none -%}
        {%- do store_result(name, response={'_message': message, 'code': code, 'rows_affected': rows_affected}, agate_table=none) -%}
    {%- endif -%}
{% endmacro %}

{% macro get_show_sql(compiled_code, sql_header, limit) -%}
    {{ sql_header or '' }}
    {{ get_limit_subquery_sql(compiled_code, limit) if limit is not none else compiled_code }}
{%- endmacro %}
{% macro get_limit_subquery_sql(sql, limit) %}{{ return(adapter.dispatch('get_limit_sql', 'dbt')(sql, limit)) }}{% endmacro %}
{% macro default__get_limit_sql(sql, limit) -%}
    {{ sql }}
    limit {{ limit }}
{%- endmacro %}

{% macro validate_sql(sql) %}{{ return(adapter.dispatch('validate_sql', 'dbt')(sql)) }}{% endmacro %}
{% macro default__validate_sql(sql) %}
    {%- do run_query('explain ' ~ sql) -%}
{% endmacro %}

{# How old the newest row is. #}
{% macro collect_freshness(source, loaded_at_field, filter) %}{{ return(adapter.dispatch('collect_freshness', 'dbt')(source, loaded_at_field, filter)) }}{% endmacro %}
{% macro default__collect_freshness(source, loaded_at_field, filter) %}
    {%- call statement('collect_freshness', fetch_result=true) -%}
        select max({{ loaded_at_field }}) as max_loaded_at, {{ current_timestamp() }} as snapshotted_at
        from {{ source }}{% if filter %}
        where {{ filter }}{% endif %}
    {%- endcall -%}
    {{ return(load_result('collect_freshness')) }}
{% endmacro %}
{% macro collect_freshness_custom_sql(source, loaded_at_query) %}{{ return(adapter.dispatch('collect_freshness_custom_sql', 'dbt')(source, loaded_at_query)) }}{% endmacro %}
{% macro default__collect_freshness_custom_sql(source, loaded_at_query) %}
    {%- call statement('collect_freshness_custom_sql', fetch_result=true) -%}
        select ({{ loaded_at_query }}) as max_loaded_at, {{ current_timestamp() }} as snapshotted_at
    {%- endcall -%}
    {{ return(load_result('collect_freshness_custom_sql')) }}
{% endmacro %}

{# Dates that stand in texts. #}
{% macro convert_datetime(date_str, date_fmt) %}{{ return(modules.datetime.datetime.strptime(date_str, date_fmt)) }}{% endmacro %}
{% macro dates_in_range(start_date_str, end_date_str=none, in_fmt='%Y%m%d', out_fmt='%Y%m%d') %}
    {%- set first = convert_datetime(start_date_str, in_fmt) -%}
    {%- set last = convert_datetime(end_date_str or start_date_str, in_fmt) -%}
    {%- set days = (last - first).days -%}
    {%- if days < 0 -%}
        {{ exceptions.raise_compiler_error(start_date_str ~ ' is after ' ~ end_date_str ~ ', so there is no day between them') }}
    {%- endif -%}
    {%- set dates = [] -%}
    {%- for day in range(days + 1) -%}
        {%- do dates.append((first + modules.datetime.timedelta(days=day)).strftime(out_fmt)) -%}
    {%- endfor -%}
    {{ return(dates) }}
{% endmacro %}
{% macro partition_range(raw_partition_date, date_fmt='%Y%m%d') %}
    {%- set ends = raw_partition_date.split(',') -%}
    {%- if ends | length > 2 -%}
        {{ exceptions.raise_compiler_error("'" ~ raw_partition_date ~ "' is neither one date nor two with a comma between them") }}
    {%- endif -%}
    {{ return(dates_in_range(ends[0] | trim, ends[1] | trim if ends | length == 2 else none, in_fmt=date_fmt)) }}
{% endmacro %}
{% macro py_current_timestring() %}{{ return(modules.datetime.datetime.now().strftime('%Y%m%d%H%M%S%f')) }}{% endmacro %}
