{#- Every point in time leaves staging as timestamptz; every date that is derived from one goes through business_day. -#}

{% macro utc_to_instant(clock) -%}
    (cast({{ clock }} as timestamp) at time zone 'UTC')
{%- endmacro %}

{#-
    London's clock as text with up to seven decimals, of which six are kept. In the hour that comes twice a year the
    second one (winter time) is taken.
-#}
{% macro london_text_to_instant(clock) -%}
    (cast(substring({{ clock }}, 1, 26) as timestamp) at time zone 'Europe/London')
{%- endmacro %}

{#- Online business day: midnight to midnight in London. -#}
{% macro business_day(instant) -%}
    cast({{ instant }} at time zone 'Europe/London' as date)
{%- endmacro %}

{% macro utc_day(instant) -%}
    cast({{ instant }} at time zone 'UTC' as date)
{%- endmacro %}

{#- The day on the clock that the company itself keeps: UTC for meridian, London's for halcyon. -#}
{% macro day_of_source(business, instant) -%}
    case {{ business }}
        when 'meridian' then {{ utc_day(instant) }}
        else {{ business_day(instant) }}
    end
{%- endmacro %}
