{#- Every amount leaves staging in major units (pounds, euro) as numeric(19, 4). -#}

{% macro major_units(amount) -%}
    cast({{ amount }} as numeric(19, 4))
{%- endmacro %}

{#- Pence or cents to pounds or euro. Multiplied, since division of decimals is not exact everywhere. -#}
{% macro minor_to_major_units(amount) -%}
    cast(cast({{ amount }} as numeric(19, 0)) * 0.01 as numeric(19, 4))
{%- endmacro %}

{#-
    Pounds or euro to pence or cents, whichever they are: control totals of whole tables add up all currencies, and what they
    are held against has to as well.
-#}
{% macro minor_units_of_any_currency(amount) -%}
    cast({{ amount }} * 100 as numeric(38, 4))
{%- endmacro %}

{#- Reporting currency: one amount at one rate, rounded once to the penny, halves away from zero. -#}
{% macro to_gbp(amount, gbp_per_unit) -%}
    cast(round({{ amount }} * {{ gbp_per_unit }}, 2) as numeric(19, 2))
{%- endmacro %}

{#- GGR / turnover as a fraction; null where nothing was staked. A ratio, so floating point does no harm. -#}
{% macro margin(ggr, turnover) -%}
    cast(
        cast({{ ggr }} as double precision) / nullif(cast({{ turnover }} as double precision), 0) as numeric(15, 6)
    )
{%- endmacro %}
