with

bet_legs as (

    select * from {{ ref('int_bet_legs') }}

),

selections as (

    select * from {{ ref('dim_selection') }}

),

final as (

    select
        bet_legs.bet_key,
        count(*) as leg_count,
        case
            when count(selections.sport_name) < count(*) then 'unknown'
            when min(selections.sport_name) = max(selections.sport_name) then min(selections.sport_name)
            else 'multiple'
        end as sport,
        max(bet_legs.loaded_at) as loaded_at
    from bet_legs
    left join selections on bet_legs.selection_id = selections.selection_id
    group by bet_legs.bet_key

)

select * from final
