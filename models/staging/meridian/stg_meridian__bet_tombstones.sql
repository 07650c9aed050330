with

source as (

    select * from {{ source('meridian', 'bets_tombstone') }}

),

renamed as (

    select
        bet_id,
        {{ utc_to_instant('deleted_at') }} as deleted_at,
        _acca_file as source_file,
        _acca_loaded_at as loaded_at
    from source

)

select * from renamed
