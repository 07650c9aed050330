{#-
    Odds are decimal (stake included) with ten decimals: 10/11 is 1.9090909091. The product of eight such odds is then
    right to nine significant digits, a hundredth of a penny in a return of a hundred thousand pounds.
-#}

{#- A price to one is a quotient of exact numbers, rounded once. -#}
{% macro fractional_to_decimal_odds(numerator, denominator) -%}
    cast(1 + cast({{ numerator }} as numeric(19, 0)) / {{ denominator }} as numeric(18, 10))
{%- endmacro %}

{#- The place part of an each-way bet pays a fifth of the odds. -#}
{% macro place_odds(decimal_odds) -%}
    cast(1 + ({{ decimal_odds }} - 1) * 0.2 as numeric(18, 10))
{%- endmacro %}

{#-
    Product of odds (each 0 or at least 1), multiplied one after the other and rounded to ten decimals each time, since
    38 digits do not hold the exact product of eight odds. A product that reaches 10^13, far above what any bookmaker
    pays, stays there and comes out as null.
-#}
{% macro odds_product(factors) -%}
    {%- set limit = 'cast(10000000000000 as numeric(38, 10))' -%}
    {%- set ns = namespace(product='cast(' ~ factors[0] ~ ' as numeric(38, 10))') -%}
    {%- for factor in factors[1:] -%}
        {%- set ns.product = 'least(cast(round(' ~ ns.product ~ ' * ' ~ factor ~ ', 10) as numeric(38, 10)), ' ~ limit ~ ')' -%}
    {%- endfor -%}
    nullif({{ ns.product }}, {{ limit }})
{%- endmacro %}
