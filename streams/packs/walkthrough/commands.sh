wanglou check tunnel
wanglou test tunnel
wanglou apply
curl -sS --fail ${FEED:-http://127.0.0.1:8081}/readings -H 'content-type: application/json' \
  -d "{\"site\": \"north\", \"indicator\": \"tunnel_water\", \"time\": \"$(date -u +%FT%TZ)\", \"value\": 28}"
