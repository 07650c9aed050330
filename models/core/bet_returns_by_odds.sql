{{ config(materialized='view') }}

{#- No bet type has more legs. -#}
{%- set leg_numbers = range(1, 9) -%}

with

bets as (

    select * from {{ ref('fct_bet') }}

),

bet_types as (

    select * from {{ ref('bet_types') }}

),

bet_legs as (

    select
        bet_key,
        leg_number,
        leg_result,
        decimal_odds,
        {{ place_odds('decimal_odds') }} as place_odds
    from {{ ref('fct_bet_leg') }}

),

-- What a stake of 1 on the leg alone brings: void gives the stake back, and a leg without a result may still win.
leg_returns as (

    select
        bet_key,
        leg_number,
        leg_result,
        case leg_result
            when 'lost' then 0
            when 'placed' then 0
            when 'void' then 1
            else decimal_odds
        end as win_return,
        case leg_result
            when 'lost' then 0
            when 'void' then 1
            else place_odds
        end as place_return
    from bet_legs

),

legs_in_columns as (

    select
        bet_key,
        count(*) as leg_count,
        count(leg_result) as resulted_leg_count,
        {%- for part in ['win', 'place'] %}
        cast(sum({{ part }}_return) as numeric(18, 10)) as {{ part }}_sum,
        {%- for leg in leg_numbers %}
        max(case when leg_number = {{ leg }} then {{ part }}_return end) as {{ part }}_{{ leg }}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from leg_returns
    group by bet_key

),

-- The product of the legs is the line with all of them. The product of (1 + leg) is the sum over the lines of every
-- set of legs, the empty set included.
products as (

    select
        bet_key,
        leg_count,
        resulted_leg_count
        {%- for part in ['win', 'place'] %}
        {%- set all_legs = [] -%}
        {%- set any_legs = [] -%}
        {%- for leg in leg_numbers -%}
            {%- do all_legs.append('coalesce(' ~ part ~ '_' ~ leg ~ ', 1)') -%}
            {%- do any_legs.append('(1 + coalesce(' ~ part ~ '_' ~ leg ~ ', 0))') -%}
        {%- endfor %},
        {{ part }}_sum,
        {{ odds_product(all_legs) }} as {{ part }}_all_legs,
        {{ odds_product(any_legs) }} as {{ part }}_any_legs
        {%- endfor %}
    from legs_in_columns

),

bet_lines as (

    select
        bets.bet_key,
        bets.unit_stake,
        bets.bonus_stake,
        bets.is_each_way,
        products.leg_count = bet_types.leg_count as has_all_legs,
        products.resulted_leg_count = products.leg_count as has_all_results
        {%- for part in ['win', 'place'] %},
        case bet_types.smallest_line
            when bet_types.leg_count then products.{{ part }}_all_legs
            when 1 then products.{{ part }}_any_legs - 1
            when 2 then products.{{ part }}_any_legs - 1 - products.{{ part }}_sum
        end as {{ part }}_lines
        {%- endfor %}
    from bets
    inner join products on bets.bet_key = products.bet_key
    inner join bet_types on bets.bet_type_code = bet_types.bet_type_code

),

bet_returns as (

    select
        bet_key,
        bonus_stake,
        has_all_legs,
        has_all_results,
        case
            when is_each_way then round(unit_stake * (win_lines + place_lines), 2)
            else round(unit_stake * win_lines, 2)
        end as gross_return
    from bet_lines

),

-- The stake of a free bet is not returned.
final as (

    select
        bet_key,
        has_all_legs,
        has_all_results,
        cast(greatest(gross_return - bonus_stake, 0) as numeric(19, 4)) as return_by_odds
    from bet_returns

)

select * from final
