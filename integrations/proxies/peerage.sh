peerage serve policies --allow-map \
  'uri=/rooms/{resource}/** resource_type=const:group subject=header:X-User action=const:send_message'
