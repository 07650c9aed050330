with

bets as (

    {{ latest_version(ref('stg_halcyon__bets'), 'bet_guid') }}

),

bet_types as (

    select * from {{ ref('bet_types') }}

),

final as (

    select
        {{ business_key('halcyon', ['bets.bet_guid']) }} as bet_key,
        'halcyon' as business,
        {{ business_key('halcyon', ['bets.customer_guid']) }} as account_key,
        bet_types.bet_type_code,
        bets.is_each_way,
        bets.line_count,
        bets.channel,
        bets.bet_status,
        bets.currency_code,
        bets.unit_stake,
        bets.total_stake,
        bets.bonus_stake,
        bets.return_amount,
        bets.placed_at,
        bets.settled_at,
        bets.updated_at,
        bets.loaded_at
    from bets
    left join bet_types on bets.halcyon_bet_type_name = bet_types.halcyon_name
    where not bets.is_deleted

)

select * from final
