{# Dates and times. #}

{% macro date(year, month, day) %}{{ return(adapter.dispatch('date', 'dbt')(year, month, day)) }}{% endmacro %}
{% macro default__date(year, month, day) -%}
    make_date({{ year }}, {{ month }}, {{ day }})
{%- endmacro %}
{% macro redshift__date(year, month, day) -%}
    to_date('{{ year }}-{{ month }}-{{ day }}', 'YYYY-MM-DD')
{%- endmacro %}

{% macro date_trunc(datepart, date) %}{{ return(adapter.dispatch('date_trunc', 'dbt')(datepart, date)) }}{% endmacro %}
{% macro default__date_trunc(datepart, date) -%}
    date_trunc('{{ datepart }}', {{ date }})
{%- endmacro %}

{% macro dateadd(datepart, interval, from_date_or_timestamp) %}{{ return(adapter.dispatch('dateadd', 'dbt')(datepart, interval, from_date_or_timestamp)) }}{% endmacro %}
{% macro default__dateadd(datepart, interval, from_date_or_timestamp) -%}
    dateadd({{ datepart }}, {{ interval }}, {{ from_date_or_timestamp }})
{%- endmacro %}
{# PostgreSQL knows no interval of a quarter. #}
{% macro postgres__dateadd(datepart, interval, from_date_or_timestamp) -%}
    {%- set unit = '3 month' if datepart | lower == 'quarter' else '1 ' ~ datepart -%}
    {{ _point_in_time(from_date_or_timestamp) }} + ({{ interval }}) * interval '{{ unit }}'
{%- endmacro %}
{% macro duckdb__dateadd(datepart, interval, from_date_or_timestamp) -%}
    {%- set unit = {'quarter': '3 month', 'week': '7 day'}.get(datepart | lower, '1 ' ~ datepart) -%}
    ({{ _point_in_time(from_date_or_timestamp) }} + cast({{ interval }} as bigint) * interval '{{ unit }}')
{%- endmacro %}
{# A text is one of a point in time, which these engines do not see by themselves where an interval is added. #}
{% macro _point_in_time(expression) %}
    {%- set text = expression | string | trim -%}
    {%- set is_text = text[:1] == "'" and text[-1:] == "'" and "'" not in text[1:-1] -%}
    {{ return('timestamp ' ~ text if is_text else expression) }}
{% endmacro %}
{% macro redshift__dateadd(datepart, interval, from_date_or_timestamp) -%}
    dateadd({{ datepart }}, {{ interval }}, {{ from_date_or_timestamp }})
{%- endmacro %}

{% macro datediff(first_date, second_date, datepart) %}{{ return(adapter.dispatch('datediff', 'dbt')(first_date, second_date, datepart)) }}{% endmacro %}
{% macro default__datediff(first_date, second_date, datepart) -%}
    datediff({{ datepart }}, {{ first_date }}, {{ second_date }})
{%- endmacro %}
{% macro redshift__datediff(first_date, second_date, datepart) -%}
    datediff({{ datepart }}, {{ first_date }}, {{ second_date }})
{%- endmacro %}

{# Counts the boundaries between two points in time. Days and weeks are whole numbers, all else is a binary fraction without a
   fraction, as with dbt. A week begins on Sunday; the first Sunday of all is that of the year 1. #}
{% macro postgres__datediff(first_date, second_date, datepart) -%}
    {%- set part = datepart | lower -%}
    {%- set months = {'year': 12, 'quarter': 3, 'month': 1} -%}
    {%- set seconds = {'hour': 3600, 'minute': 60, 'second': 1} -%}
    {%- set parts_of_a_second = {'millisecond': 1000, 'microsecond': 1000000} -%}
    {%- if part == 'day' -%}
        (({{ second_date }})::date - ({{ first_date }})::date)
    {%- elif part == 'week' -%}
        {%- set sunday = "date '0001-01-07'" -%}
        ((({{ second_date }})::date - {{ sunday }}) / 7 - (({{ first_date }})::date - {{ sunday }}) / 7)
    {%- elif part == 'year' -%}
        (date_part('year', ({{ second_date }})::date) - date_part('year', ({{ first_date }})::date))
    {%- elif part in months -%}
        {#- Quarters and months are numbered on from year to year. -#}
        {%- set in_a_year = 12 // months[part] -%}
        ((date_part('year', ({{ second_date }})::date) - date_part('year', ({{ first_date }})::date)) * {{ in_a_year }} + date_part('{{ part }}', ({{ second_date }})::date) - date_part('{{ part }}', ({{ first_date }})::date))
    {%- elif part in seconds -%}
        ((date_part('epoch', date_trunc('{{ part }}', ({{ second_date }})::timestamp)) - date_part('epoch', date_trunc('{{ part }}', ({{ first_date }})::timestamp))) / {{ seconds[part] }})
    {%- elif part in parts_of_a_second -%}
        {#- Exact numbers in between: a binary fraction has no room for microseconds of this century. -#}
        {%- set in_a_second = parts_of_a_second[part] -%}
        (floor(extract(epoch from ({{ second_date }})::timestamp)::numeric * {{ in_a_second }}) - floor(extract(epoch from ({{ first_date }})::timestamp)::numeric * {{ in_a_second }}))::double precision
    {%- else -%}
        {{ exceptions.raise_compiler_error("datediff() does not know the part '" ~ datepart ~ "' of a date") }}
    {%- endif -%}
{%- endmacro %}
{# The engine's own weeks begin on Monday. #}
{% macro duckdb__datediff(first_date, second_date, datepart) -%}
    {%- if datepart | lower == 'week' -%}
        {%- set sunday = "date '0001-01-07'" -%}
        ((({{ second_date }})::date - {{ sunday }}) // 7 - (({{ first_date }})::date - {{ sunday }}) // 7)
    {%- else -%}
        date_diff('{{ datepart }}', ({{ first_date }})::timestamp, ({{ second_date }})::timestamp)
    {%- endif -%}
{%- endmacro %}

{% macro last_day(date, datepart) %}{{ return(adapter.dispatch('last_day', 'dbt')(date, datepart)) }}{% endmacro %}
{% macro default__last_day(date, datepart) %}{{ return(dbt.default_last_day(date, datepart)) }}{% endmacro %}
{% macro default_last_day(date, datepart) -%}
    {%- set next = dbt.dateadd(datepart, 1, dbt.date_trunc(datepart, date)) -%}
    cast({{ dbt.dateadd('day', -1, next) }} as date)
{%- endmacro %}

{# How many rows a series of periods needs. #}
{% macro get_intervals_between(start_date, end_date, datepart) %}{{ return(adapter.dispatch('get_intervals_between', 'dbt')(start_date, end_date, datepart)) }}{% endmacro %}
{% macro default__get_intervals_between(start_date, end_date, datepart) -%}
    {%- call statement('get_intervals_between', fetch_result=true) -%}
        select {{ dbt.datediff(start_date, end_date, datepart) }}
    {%- endcall -%}
    {%- set counted = load_result('get_intervals_between') -%}
    {{ return(counted.data[0][0] | int if counted and counted.data else 1) }}
{%- endmacro %}

{# A row for each period from the first date up to and with the second, as far as it begins a whole period. #}
{% macro date_spine(datepart, start_date, end_date) %}{{ return(adapter.dispatch('date_spine', 'dbt')(datepart, start_date, end_date)) }}{% endmacro %}
{% macro default__date_spine(datepart, start_date, end_date) -%}
    {%- set periods = dbt.get_intervals_between(start_date, end_date, datepart) -%}
    with rawdata as (
        {{ dbt.generate_series(periods) }}
    ),
    all_periods as (
        select ({{ dbt.dateadd(datepart, 'generated_number - 1', start_date) }}) as date_{{ datepart }}
        from rawdata
    )
    select date_{{ datepart }}
    from all_periods
    where date_{{ datepart }} <= {{ end_date }}
{%- endmacro %}
